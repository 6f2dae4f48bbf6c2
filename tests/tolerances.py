"""Every tolerance of the test suite, with its reason. Absolute unless the name says otherwise."""

# float32 sums of the reference tool against ours; specification of the parity table
FLOAT_MOTION = 5e-5

# fusion in float64. Golden inputs carry 12 digits (5e-13 of 1, 5e-11 of a chroma score near 45) and
# a score moves by at most some hundred points per unit of a feature
FUSION_GOLDEN = 1e-8
# sums of up to 276 terms of size 4 in another order, divided by a slope of 0.012: 276*4*2e-16/0.012
FUSION_ORACLE = 1e-10
# the same sum in float32: sqrt(276)*4*6e-8/0.012 = 3e-4, with room for the kernel's rounding
FUSION_FLOAT32 = 2e-3
# scaled columns: a few operations in float64 on numbers up to 100
FIT_ROUND_OFF = 1e-12
# least squares by two algorithms in float64, conditions below 1e3
RIDGE = 1e-9
# a perceptron of 10 units or a weighted sum in float64, in score units after division by a slope
FIT_SCORES = 1e-10
# slope of the penalised error (about 0.01) where Adam has come to rest; central differences at 1e-4
# add the third derivative times 1e-8
MINIMUM_SLOPE = 1e-6
# plain form against the strips in float64: other order, and Watson's weights in float32 (6e-8)
PLAIN_FORM = 1e-6
# relative; central differences in float64 of a form that decides samples by thresholds: a sample
# that changes sides within the step counts for one side or the other
OPTION_SLOPE = 1e-2
# relative; the golden values carry 12 digits
POOLING_RELATIVE = 1e-10

# relative; half a unit of the twelfth digit that the tool prints
TWELVE_DIGITS_RELATIVE = 5e-12
# below 64 dB: half a float32 step (1.9e-6), half of the sixth decimal that the tool prints
PRINTED_PSNR = 2.5e-6


# float VIF: the tool computes E[x^2] - E[x]^2 in float32 and misses its own double-precision value
# by up to 2.5e-5; the agreement asked for is four times that
FLOAT_VIF = 1e-4
# float32 against float64 on small frames: few pixels, so single ones weigh more than in a picture
FLOAT_VIF_ORACLE = 1e-4
# float ADM: one pixel whose 1-degree test float32 rounding decides moved a score by 1.6e-5
FLOAT_ADM = 5e-5
# float64 against float64, other order of summation
FLOAT64_RELATIVE = 1e-9
# relative; Watson's weights rounded to float32 (6e-8) against the same in float64: a masked band is
# a difference of weighted ones, which amplifies it
ADM_WEIGHTS_FLOAT32 = 1e-6
# the same float32 program compiled in another shape
ROUND_OFF = 2e-6
# central differences in float64 at a step of 1e-4 on functions with kinks nearby
GRADIENT = 1e-3

# integer ADM: the integers are equal; float32 results may differ by the last place where the tool's
# cube root (powf) is not correctly rounded
ADM_INTEGER_FLOAT32_STEPS = 1.0

# units in the last place of float32: fps weight, blend and average round once each, after the one
# rounding of the SAD score that the tool keeps in double precision
INTEGER_MOTION_ULP = 3

# CAMBI: counts are equal; the tool prints 12 digits, we return float32 (half a step below 16: 5e-7)
CAMBI = 1e-6
# relative rounding of the result to float32
CAMBI_RELATIVE = 1.2e-7
# float64 sums of a few hundred numbers in another order
FLOAT64_SUM = 1e-13

# libvmaf's SpEED, relative: the tool filters and inverts in float32, which the condition number of
# the covariance (up to 7e4 on smooth chroma) amplifies; the agreement asked for
SPEED_RELATIVE = 1e-4
# relative; our float64 against numpy's: 1e-16 times condition numbers below 1e5, with room
SPEED_FLOAT64 = 1e-9
# relative; results rounded to float32 (6e-8), and the covariance too, times condition numbers near
# 1e2 on textured frames
SPEED_FLOAT32 = 2e-5
# SpEED-QA, relative: the figure that its golden values are published for
SPEED_QA_FLOAT64 = 1e-9
# relative; only the result is rounded to float32
SPEED_QA_FLOAT32 = 1.2e-7
# relative to the largest gradient: float64 gradients rounded to float32, covariance rounded before
SPEED_GRADIENT_FLOAT32 = 1e-4

# FUNQUE, relative. float64 against the float64 reference: temporal RRED cancels, 1e-11 at best
FUNQUE_FLOAT64 = 1e-9
# float32 maps of means near 1 and energies near 1e-6; the agreement asked for. The 2022 program
# sums VIF windows as float32 integral images, itself good to 1e-5
FUNQUE_FLOAT32 = 2e-5
# DLM from float32 pyramids: rounding decides the sign of details that are 0, 6e-4 between correct
# programs
FUNQUE_DLM_FLOAT32 = 1e-3
# the reference's value of a perfect or flat pair is itself rounding noise; absolute
FUNQUE_NOISE = 1e-7
# central differences in float64 of powers of 0.0448 with kinks nearby
FUNQUE_GRADIENT = 1e-4

# VMAF points. float models: the bound asked for; features agree to 2e-5 and weigh up to 200 points
FLOAT_SCORE = 5e-3
# integer features are equal bit for bit; what is left is the last float32 digit of each, times 200
INTEGER_SCORE = 1e-4
# SpEED in float64 against the tool's float32
V1_SCORE = 1e-3
# float twins of integer models: libvmaf's own two builds differ by up to 0.05 (0.07 for NEG)
FLOAT_TWIN_SCORE = 0.07

# equal frames, float32, absolute: numerator and denominator are sums of the same terms, each
# rounded its own way (6e-8), over up to 1e5 samples; 4e-7 at most
EQUAL_FRAMES = 1e-6
# the same in float64: VIF keeps a residual of at least 1e-10 beside a noise of 2, as the tool does
EQUAL_FRAMES_VIF_FLOAT64 = 1e-10
# integer ADM divides by a table of rounded 15-bit reciprocals, as the tool does: its own adm_scale0
# of equal frames is up to 2e-5 above or below 1
EQUAL_FRAMES_INTEGER_ADM = 3e-5

# code values: swscale converts with 15-bit coefficients and rounds on the way
COLOUR_SWSCALE = 1.0

# loss of an equal pair, in points, float64 and textured frames: the floors of 1e-10 in VIF (2e-9
# for VMAF, 1e-6 for FUNQUE, whose noise stands beside variances near 1e-3)
LOSS_OF_EQUAL_PAIR = 1e-5
# the same in float32: two regressions, each within FUSION_FLOAT32
LOSS_OF_EQUAL_PAIR_FLOAT32 = 4e-3
# relative; central differences in float64 at a step of 1e-5 of functions with kinks nearby
LOSS_GRADIENT = 1e-3
# absolute; rounding of a loss near 30 over twice the step: 30 * 2e-16 / 2e-5, times condition
LOSS_GRADIENT_ABSOLUTE = 1e-8
# relative; float32 against float64, losses of 1e-3 and more that are differences from 1 (ROUND_OFF
# below that)
LOSS_FLOAT32 = 1e-3

# relative to the largest: float32 sums of a window of 49 terms, each rounded to 6e-8
BANDING_PULL = 3e-6

# one float32 program compiled in another shape or order; SpEED multiplies rounding by condition
# numbers near 1e2 (see SPEED_FLOAT32), FUNQUE's maps have energies near 1e-6 (see FUNQUE_FLOAT32)
REGISTRY_RELATIVE = 2e-5
REGISTRY_ABSOLUTE = 2e-6

# value of an equal pair against the record's `perfect`: float32 rounding of sums of thousands
PERFECT_DEFAULT = 1e-6
# decibels near 100 have steps of 8e-6
PERFECT = {"adm": EQUAL_FRAMES_INTEGER_ADM, "xpsnr": 2e-5}

# relative; the tool sums in float64, we sum rows and then columns in float32: 1.5e-7 seen
MOMENT_RELATIVE = 1e-6

# relative; sums are whole numbers on both sides, ours is then rounded to float32: 5.6e-8 seen.
# Float frames are summed in float32, which moves a PSNR near 30 dB by 1e-7
PSNR_RELATIVE = 3e-7
# relative; the tool sums powers in float32, one sample after the other: 5.8e-7 seen
ANSNR_RELATIVE = 1e-6
# dB; float32 against float64: powers within 1e-6, of which 4.3e-6 dB, and logarithms of the peak
ANSNR_ORACLE = 2e-5

# units in the last place of float32, whole clip against chunks: most metrics give the same bits;
# SpEED's float64 sums are ordered otherwise, which the covariance amplifies before the rounding
CHUNK_ULP = 4

# plain forms. An equal pair's quality map is 1 within 2e-16, which MS-ESSIM's exponents 0.0448 and
# 0.2856 together make 7e-6; absolute
PLAIN_EQUAL_PAIR = 1e-5
# relative; textbook formulas in float32: variances as differences of means, inverse covariances
PLAIN_FLOAT32 = 1e-3

# SSIM, MS-SSIM and their parts: means are rounded where the tool rounds them, so what is left is
# the last place of float32, 6e-8 seen; the agreement asked for
SSIM = 1e-6
# scores of codes, of which every step is rounded as in the tool: the last place of float32
SSIM_CODES = 1.2e-7
# relative; the decibels of those, rounded to float32 (6e-8)
SSIM_CODES_DECIBELS = 1.2e-7
# float32 means of squares against float64: steps of 0.004 at white beside a constant of 58, in
# smooth areas not averaged out; the tool's own distance from float64 is up to 2.0e-5
SSIM_ORACLE = 4e-5
# decibels, absolute; 6e-8 of a score, which the logarithm divides by what is left to 1
SSIM_DECIBELS = 1e-4
# relative to the largest; the same float32 variances, in a gradient: 1.4e-5 seen
SSIM_GRADIENT = 1e-4

# ciede, score: the tool rounds Lab to float32, we compute from float32 samples; 9e-6 seen, the
# agreement asked for is 1e-4
CIEDE = 5e-5
# half a unit of the fourth decimal, with room for the rounding of the published colours
CIEDE_PUBLISHED = 1e-4
# relative; mean difference in float32
CIEDE_RELATIVE = 2e-6
# float64 scores: the fast form has power series where the plain one has angles, see there
CIEDE_SERIES = 1e-5

# psnr_hvs, dB: the tool adds millions of terms in float32, one by one; 1.6e-3 seen at 1080p
PSNR_HVS = 2e-3
# relative error of the mean square: float32 sums of 64 terms and of blocks
PSNR_HVS_FLOAT32 = 2e-6

# xpsnr, dB: the filter prints six decimals and sums in float64, we sum in float32; 2.7e-5 seen in
# small frames, the agreement asked for is 1e-4
XPSNR = 5e-5
# files of every kind against FFmpeg and libvmaf, VMAF points. Decoded, turned, scaled: the same
# samples, so the tool's own agreement (INTEGER_SCORE)
REAL_PLAIN = INTEGER_SCORE
# range, matrix or RGB converted: releases of swscale differ by a code value here and there
REAL_CONVERTED = 0.15
# integer VIF of equal frames against 1, absolute: logarithms from a table, summed in float32
REAL_SELF = 1e-5

# scores of votes: sums of a few hundred votes in another order; the agreement asked for
VOTES = 1e-9
# correlations and areas under curves: the same sums in another order; the agreement asked for
CORRELATION = 1e-9
# relative; what a fitted curve predicts: the error is flat at its minimum, so parameters that agree
# to half of the digits give it to all of them
CURVE_RELATIVE = 1e-7
# training: the same solver on the same numbers; sums of products in another order
TRAINING = 1e-9
# warm starts: normal equations of kernels with a condition number near 1e5, against the dual form
WARM_START = 1e-7
# scores on a scale of 1 to 5 by libvmaf's tool, which prints features and scores with 6 decimals;
# the agreement asked for
TRAINED_IN_LIBVMAF = 1e-5
# percent and points; sums of ten terms near 100 in another order, the agreement asked for
BJONTEGAARD = 1e-9
