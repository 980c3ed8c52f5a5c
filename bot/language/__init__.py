"""Reading Dutch as people type it. Pure; imports nothing of ours; runs on Python 3.10 too."""
