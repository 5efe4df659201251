"""Everything that runs inside the sandbox, and the thin layer over the kernel that builds it.

The launcher loads this package on its own, under the name `jail`, in an interpreter that sees nothing else of
the product: modules here import the standard library and each other, relatively.
"""
