"""The benchmark programs: their problem sizes (over a second each) and small ones."""

# name: (size, size of --quick)
PROGRAMS = {
    "nbody": (25000000, 500000),
    "fannkuch": (11, 9),
    "mandelbrot": (2700, 400),
    "binary_trees": (20, 12),
    "spectral_norm": (5500, 700),
    "fib": (46, 36),
    "gemm": (1600, 400),
    "jacobi": (4000, 100),
    "sieve": (40, 1),
    "sha256": (400, 8),
    "sort": (8000000, 200000),
    "interpreter": (1000000, 30000),
    "hash_table": (4000000, 100000),
    "compress": (18, 1),
    "json": (180, 4),
    "format": (2500000, 50000),
    "fft": (700, 10),
    "objects": (12000, 200),
    "regex": (11000, 200),
}
