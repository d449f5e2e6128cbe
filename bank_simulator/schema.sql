-- The bank's own books. Amounts are whole fen. STRICT: an overflow cannot turn an amount into a floating number.

CREATE TABLE accounts (
    account TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    id_number TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'special', 'treasury', 'capital', 'transit')),
    state TEXT NOT NULL CHECK (state IN ('normal', 'frozen', 'closed', 'dormant', 'inactive', 'slow', 'faulty')),
    opening_fen INTEGER NOT NULL CHECK (opening_fen >= 0),
    balance_fen INTEGER NOT NULL DEFAULT 0,
    -- Only the bank's capital may be below zero: it is where every opening balance came from.
    CHECK (kind = 'capital' OR balance_fen >= 0)
) STRICT, WITHOUT ROWID;

-- The two accounts inside the bank. Their names are no account numbers, so no file can ever point at them.
INSERT INTO accounts VALUES ('CAPITAL', '本行资本', '', 'capital', 'normal', 0, 0), ('TRANSIT', '在途资金', '', 'transit', 'normal', 0, 0);

-- Every content ever received under a number, accepted or refused.
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'transfer', 'check')),
    number TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    received_on TEXT NOT NULL,
    refusal_code TEXT NOT NULL DEFAULT '',
    refusal_detail TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, number, sha256)
) STRICT;

-- A number stands for one accepted content, for ever.
CREATE UNIQUE INDEX number_accepted_once ON files (kind, number) WHERE refusal_code = '';

CREATE TABLE orders (
    file_id INTEGER PRIMARY KEY REFERENCES files,
    programme_code TEXT NOT NULL,
    programme_short TEXT NOT NULL,
    business_date TEXT NOT NULL,
    payer TEXT NOT NULL REFERENCES accounts,
    rows_count INTEGER NOT NULL CHECK (rows_count > 0),
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0)
) STRICT;

-- state: S credited, F failed (money stays with or went back to the payer), U pending (money in transit).
CREATE TABLE order_rows (
    file_id INTEGER NOT NULL REFERENCES orders,
    sequence INTEGER NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    id_number TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    memo TEXT NOT NULL,
    period TEXT NOT NULL,
    row_id TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'U' CHECK (state IN ('S', 'F', 'U')),
    code TEXT NOT NULL DEFAULT '',
    booked_on TEXT NOT NULL DEFAULT '',
    serial TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (file_id, sequence),
    CHECK ((state = 'F') = (code <> '')),
    CHECK ((state = 'S') = (serial <> '') AND (state = 'S') = (booked_on <> ''))
) STRICT, WITHOUT ROWID;

CREATE INDEX order_rows_pending ON order_rows (file_id) WHERE state = 'U';

-- One entry: money goes from `source` to `target`. Both sides in one line, so the books balance by construction.
CREATE TABLE postings (
    id INTEGER PRIMARY KEY,
    file_id INTEGER REFERENCES files,
    sequence INTEGER NOT NULL DEFAULT 0,
    booked_on TEXT NOT NULL,
    source TEXT NOT NULL REFERENCES accounts,
    target TEXT NOT NULL REFERENCES accounts,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    CHECK (source <> target)
) STRICT;

CREATE INDEX postings_source ON postings (source);
CREATE INDEX postings_target ON postings (target);
-- Whatever else goes wrong, a row is credited by one posting at most.
CREATE UNIQUE INDEX postings_row_credited_once ON postings (file_id, sequence, target);

CREATE TRIGGER postings_never_change BEFORE UPDATE ON postings BEGIN SELECT RAISE(ABORT, '流水不得修改'); END;
CREATE TRIGGER postings_never_vanish BEFORE DELETE ON postings BEGIN SELECT RAISE(ABORT, '流水不得删除'); END;

-- Answers exactly as they were first written; an outbox that lost one gets the same bytes again.
CREATE TABLE answers (
    file_id INTEGER NOT NULL REFERENCES files,
    answer_no INTEGER NOT NULL,
    file_name TEXT NOT NULL UNIQUE,
    content BLOB NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered IN (0, 1)),
    PRIMARY KEY (file_id, answer_no)
) STRICT;

-- Postings told by whom the money belonged to: what leaves transit is laid to the payer who had set it aside.
CREATE VIEW flows AS
SELECT CASE WHEN p.source = 'TRANSIT' THEN orders.payer ELSE p.source END AS origin, p.source = 'TRANSIT' AS settled,
       p.target, accounts.kind AS target_kind, p.amount_fen
FROM postings AS p JOIN accounts ON accounts.account = p.target LEFT JOIN orders ON orders.file_id = p.file_id;
