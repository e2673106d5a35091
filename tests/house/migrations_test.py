"""Rolling upgrades: what a migration says that it is, and whether that is true.

From 0006 on each file's first line is `-- expand: …` or `-- contract: …`. The program of the release before goes on working
on what expands, so such a file may hold nothing but: a new table, an index, a column that an INSERT may leave out.
"""

import re

from source import SRC, text_of

FOLDER = SRC / "storage/migrations"
FIRST_WITH_A_KIND = 6


def report(found):
    assert not found, "\n" + "\n".join(found)


def statements(sql):
    without_comments = re.sub(r"--[^\n]*", "", sql)
    return [re.sub(r"\s+", " ", statement).strip() for statement in without_comments.split(";") if statement.strip()]


def what_an_older_program_notices(sql):
    """The statements that are no mere addition."""
    created, found = set(), []
    for statement in statements(sql):
        table = re.match(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) ", statement, re.IGNORECASE)
        index = re.match(r"CREATE (UNIQUE )?INDEX \w+ ON (\w+) ", statement, re.IGNORECASE)
        column = re.match(r"ALTER TABLE (\w+) ADD COLUMN \w+ \w+(.*)$", statement, re.IGNORECASE)
        rows = re.match(r"INSERT INTO (\w+) ", statement, re.IGNORECASE)
        if table:
            created.add(table.group(1))
        elif index:
            # A rule for rows that the older program writes.
            if index.group(1) and index.group(2) not in created:
                found.append(statement)
        elif column:
            rest = column.group(2)
            if column.group(1) in created:
                continue
            if re.search(r"\b(UNIQUE|CHECK|REFERENCES|PRIMARY)\b", rest, re.IGNORECASE):
                found.append(statement)
            elif re.search(r"\bNOT NULL\b", rest, re.IGNORECASE) and not re.search(r"\bDEFAULT\b", rest, re.IGNORECASE):
                found.append(statement)
        elif not (rows and rows.group(1) in created):
            found.append(statement)
    return found


def test_each_migration_says_whether_it_expands_or_contracts():
    report([f"{path.name}: the first line is `-- expand: …` or `-- contract: …`" for path in sorted(FOLDER.glob("*.sql"))
            if int(path.name[:4]) >= FIRST_WITH_A_KIND and not re.match(r"-- (expand|contract): \S", text_of(path))])


def test_what_expands_only_adds():
    report([f"{path.name}: {statement}" for path in sorted(FOLDER.glob("*.sql")) if text_of(path).startswith("-- expand: ")
            for statement in what_an_older_program_notices(text_of(path))])


def test_the_rule_can_refuse():
    for sql in ("DROP TABLE accounts", "ALTER TABLE accounts DROP COLUMN email", "ALTER TABLE a RENAME TO b",
                "ALTER TABLE a RENAME COLUMN b TO c", "ALTER TABLE a ALTER COLUMN b TYPE TEXT", "ALTER TABLE a ADD COLUMN b TEXT NOT NULL",
                "ALTER TABLE a ADD COLUMN b TEXT UNIQUE", "ALTER TABLE a ADD COLUMN b BYTEA REFERENCES c(id)",
                "CREATE UNIQUE INDEX i ON accounts (full_name)", "DELETE FROM sessions", "UPDATE accounts SET disabled = TRUE",
                "INSERT INTO accounts (id) VALUES (1)", "CREATE TRIGGER t BEFORE INSERT ON accounts", "DROP INDEX i",
                "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)", "CREATE TABLE n (i BIGINT); DROP TABLE old"):
        assert what_an_older_program_notices(sql), sql
    for sql in ("CREATE TABLE n (i BIGINT NOT NULL); CREATE UNIQUE INDEX i ON n (i); INSERT INTO n (i) VALUES (1)",
                "ALTER TABLE accounts ADD COLUMN b TEXT; -- DROP\nCREATE INDEX i ON accounts (b)",
                "ALTER TABLE accounts ADD COLUMN b BIGINT NOT NULL DEFAULT 0"):
        assert not what_an_older_program_notices(sql), sql
