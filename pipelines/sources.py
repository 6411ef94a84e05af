def command(argv, prog):
    return 0
