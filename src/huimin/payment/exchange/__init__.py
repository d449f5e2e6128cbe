"""What goes to a bank and comes from it, over whatever way, in whatever format (PAY-04, PAY-05).

    composing      a released batch or a check of accounts as a file, in the format its setting names
    iso_writing    pain.001.001.09, piece by piece
    iso_reading    pain.002 and camt.053, piece by piece, and nothing hostile
    incoming       a file that came, whichever format: header and rows under the same names
    keys           the instance's keys for each bank and direction, outside the database
    signatures     detached signatures over a file's name and digest
    routes         a folder, or SFTP with a pinned host key
    working        the jobs that send and fetch, with a state for every file

Nothing here moves money or decides what an answer means: that is `payment.commands`.
"""
