"""Columns of the tables that `tables.py` renders from a run's rows as they are."""

# head, key, format; the first column names a metric
PLAIN = {
    "gradient": (
        ("loss", "name", ""),
        ("value, ms/frame", "value", ".1f"),
        ("with gradient, ms/frame", "gradient", ".1f"),
        ("ratio", "ratio", ".2f"),
        ("peak MB", "peak_mb", ".0f"),
        ("compile, s", "compile", ".1f"),
    ),
    "reading": (
        ("", "name", ""),
        ("MB", "mb", ".1f"),
        ("copy", "copy", ".2f"),
        ("read", "read", ".2f"),
        ("program", "program", ".2f"),
        ("scored", "scored", ".2f"),
        ("libvmaf", "vmaf", ".2f"),
    ),
    "roofline": (
        ("", "name", ""),
        ("minimum MB", "minimum_mb", ".1f"),
        ("whole pictures, MB", "mb", ".0f"),
        ("strips, MB", "cpu_mb", ".0f"),
        ("ceiling, fps", "ceiling", ".0f"),
        ("measured, fps", "fps", ".1f"),
        ("kernels", "kernels", "d"),
        ("compile, s", "compile", ".1f"),
    ),
}
# the first column is in words
BATCH = {
    "batch-ladders": (
        ("", "name", "s"),
        ("pairs", "pairs", ".0f"),
        ("seconds", "seconds", ".1f"),
        ("processor, s", "cpu", ".1f"),
        ("reference frames decoded", "decoded", ".0f"),
    ),
    "batch-tiny": (
        ("", "name", "s"),
        ("ms per pair", "milliseconds", ".1f"),
        ("processor, ms per pair", "cpu", ".1f"),
        ("MB after 100 pairs", "memory", ".0f"),
        ("MB at the end", "later", ".0f"),
    ),
    "batch-start": (
        ("", "name", "s"),
        ("seconds", "seconds", ".2f"),
        ("MB of all processes", "memory", ".0f"),
        ("KB", "size", ".1f"),
    ),
}
