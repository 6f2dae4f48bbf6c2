"""Rate and quality of many encodes: Bjontegaard deltas, convex hulls, ladders.

`bd_rate`, `bd_quality`: the average difference between two encoders.
`pareto_front`: the points that no other beats.
`convex_hull`: of these, the ones that no mix of two others beats.
`knee`: where more rate begins to buy little.
`build_ladders`: all of it for a table of scored encodes, as `Ladders`.
`Ladders`, `TitleLadder`, `Curve`, `Delta`, `Point`: its parts.
"""

from jaxvqa.ladders._bd import bd_quality as bd_quality
from jaxvqa.ladders._bd import bd_rate as bd_rate
from jaxvqa.ladders._build import build_ladders as build_ladders
from jaxvqa.ladders._hull import convex_hull as convex_hull
from jaxvqa.ladders._hull import knee as knee
from jaxvqa.ladders._hull import pareto_front as pareto_front
from jaxvqa.ladders._parts import Curve as Curve
from jaxvqa.ladders._parts import Delta as Delta
from jaxvqa.ladders._parts import Ladders as Ladders
from jaxvqa.ladders._parts import Point as Point
from jaxvqa.ladders._parts import TitleLadder as TitleLadder
