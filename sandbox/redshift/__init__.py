r"""A Redshift front: speaks the Postgres wire protocol before a real Postgres 18.

What it is not, and what was chosen where AWS' pages are silent or disagree:

- Isolation is Postgres' serializable, which looks at rows; Redshift looks at tables, so Redshift finds more conflicts.
  Each is reported as Redshift's 1023.
- VARCHAR(n) counts bytes wherever a value is assigned; CHAR(n) does so in COPY only.
- MERGE takes the match condition that AWS describes and no other: equal predicates, joined by AND.
- A string literal takes a backslash as it is (``standard_conforming_strings`` is on), so that a regular expression of
  the guide's examples needs half its backslashes. Blanks at the end of a VARCHAR count in comparisons, which AWS says
  they do not. With ESCAPE ``\\N`` is the text ``\N``, not NULL.
- COPY refuses a NUL byte by name (AWS calls it both an end of record and an ordinary character), but for a field that
  ``NULL AS '\0'`` makes NULL. A quoted NULL AS text in CSV stays text. A carriage return inside a record stays data. A
  COPY ends when its client is gone.
- ``sys_load_error_detail.error_message`` never holds a piece of the data; ``stl_load_errors.err_reason`` may.
- A role is taken on trust when its ARN is well formed: S3 and DynamoDB are asked with the front's own credentials.
- UNLOAD writes for a cluster of two slices. ADDQUOTES puts no quotes around NULL. A query may have a backslash
  before its quotes.
- READRATIO is read and not kept to: the stand-in for DynamoDB has no throughput.
- COPY from Parquet and ORC takes a column whose type is the table column's own: nothing is widened. Avro's logical
  types (dates, moments, decimals), of which AWS says nothing, are read as what they are.
- UNLOAD as Parquet rounds a number whose scale nobody declared (an expression) to ten places. Folders of PARTITION BY
  are written by one slice each; other signs than letters are escaped in their names as Hive does.
- A late-binding view is made again when a table is made, renamed or dropped through the front. One that is made before
  its tables has neither aliases used again nor paths into SUPER values.
- What is no array becomes one row in ``FROM t, t.s AS i``. The JSON of a SUPER value has blanks behind colons and
  commas; values of different types are sorted as Postgres sorts them.
- CHECKSUM of a number is its digits (as in AWS' example), of a text its CRC-32. TO_DATE and TO_TIMESTAMP roll over
  what is out of range where the format has figures alone. EXTRACT of microseconds leaves out milliseconds, too.
- JDBC and ODBC drivers, which do not speak SCRAM, are asked for the password in clear text.
- What ran is kept in memory until somebody reads sys_query_history: the last 4,000 statements of a database.
- The owner of a database may make users and groups, as the administrator of a cluster may.
- SHAPEFILE, ANALYZE COMPRESSION, IGNORE NULLS with an offset that is no number: refused by name.
"""

from __future__ import annotations
