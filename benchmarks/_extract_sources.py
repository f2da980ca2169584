"""The table of the extract benchmark, on both servers, and the peers' programs."""

from __future__ import annotations

MYSQL_TABLE = """
CREATE TABLE bench.events (
  id BIGINT PRIMARY KEY, amount INT NOT NULL, code VARCHAR(32) NOT NULL, price DECIMAL(12,2) NOT NULL,
  ratio DECIMAL(10,4), email VARCHAR(80) NOT NULL, name VARCHAR(60) NOT NULL, note TEXT, day DATETIME NOT NULL,
  moment DATETIME(6) NOT NULL, flag TINYINT NOT NULL, weight DOUBLE, country CHAR(2) NOT NULL
) CHARACTER SET utf8mb4"""
#: Every third note is NULL, some are empty, the rest hold tabs, line ends, backslashes and quotes.
MYSQL_FILL = r"""
INSERT INTO bench.events SELECT
  seq, CAST((seq * 7919) % 100000 AS SIGNED) - 50000, CONCAT('code-', LEFT(MD5(seq), 12)), (seq * 37 % 10000000) / 100,
  IF(seq % 7 = 0, NULL, (seq * 13 % 100000) / 10000), CONCAT('user', seq, '@example.org'),
  CONCAT(ELT(seq % 5 + 1, 'Zoë', '李明', 'Олег', 'John', 'Ana 😀'), ' ', seq % 1000),
  CASE WHEN seq % 10 IN (0, 3, 6) THEN NULL WHEN seq % 48 = 1 THEN ''
       ELSE CONCAT('line one of ', seq, '\n\ttabbed \\ back "quoted" it\'\'s\r', REPEAT('lorem ipsum ', seq % 6)) END,
  '2015-01-01' + INTERVAL seq MINUTE, '2020-01-01' + INTERVAL seq * 1000003 MICROSECOND, seq % 2,
  IF(seq % 11 = 0, NULL, SQRT(seq)), ELT(seq % 3 + 1, 'DE', 'US', 'IN')
FROM bench.seq_1_to_{rows}"""
POSTGRES_TABLE = """
CREATE TABLE events (
  id bigint PRIMARY KEY, amount int NOT NULL, code varchar(32) NOT NULL, price numeric(12,2) NOT NULL,
  ratio numeric(10,4), email varchar(80) NOT NULL, name varchar(60) NOT NULL, note text, day timestamp NOT NULL,
  moment timestamp(6) NOT NULL, flag smallint NOT NULL, weight double precision, country char(2) NOT NULL)"""
POSTGRES_FILL = r"""
INSERT INTO events SELECT
  n, n * 7919 % 100000 - 50000, 'code-' || left(md5(n::text), 12), (n * 37 % 10000000) / 100.0,
  CASE WHEN n % 7 <> 0 THEN (n * 13 % 100000) / 10000.0 END, 'user' || n || '@example.org',
  (ARRAY['Zoë', '李明', 'Олег', 'John', 'Ana 😀'])[n % 5 + 1] || ' ' || n % 1000,
  CASE WHEN n % 10 IN (0, 3, 6) THEN NULL WHEN n % 48 = 1 THEN ''
       ELSE 'line one of ' || n || E'\n\ttabbed \\ back "quoted" it''s\r' || repeat('lorem ipsum ', (n % 6)::int) END,
  timestamp '2015-01-01' + n * interval '1 minute', timestamp '2020-01-01' + n * interval '1.000003 seconds', n % 2,
  CASE WHEN n % 11 <> 0 THEN sqrt(n) END, (ARRAY['DE', 'US', 'IN'])[n % 3 + 1]
FROM generate_series(1::bigint, {rows}) AS n"""
MYSQL_FLOOR = """
import json, os
from stores.mysql.driver import Login, open_driver
driver = open_driver(Login(**json.loads(os.environ["BENCH_LOGIN"])))
driver.query("SELECT * FROM events")
while driver.fetch(500):
    pass
"""
POSTGRES_FLOOR = """
import os, psycopg2
class Nowhere:
    def write(self, data):
        pass
psycopg2.connect(os.environ["BENCH_DSN"]).cursor().copy_expert("COPY events TO STDOUT", Nowhere(), 262144)
"""
DLT = """
import os, dlt
from dlt.sources.sql_database import sql_table
source = sql_table(credentials=os.environ["BENCH_URL"], table="events", backend="pyarrow")
pipeline = dlt.pipeline("bench", destination=dlt.destinations.filesystem(os.environ["BENCH_OUT"]), dataset_name="out")
pipeline.run(source, loader_file_format=os.environ["BENCH_FORMAT"])
"""
#: awswrangler reads in chunks of data frames; its own writers know S3 only, so that pandas writes the local files.
WRANGLER = """
import json, os, pathlib, warnings
warnings.simplefilter("ignore")
import awswrangler as wr
login = json.loads(os.environ["BENCH_LOGIN"])
if os.environ["BENCH_SERVER"] == "mysql":
    import pymysql
    link = pymysql.connect(host=login["host"], port=login["port"], user=login["username"], password=login["password"],
                           database=login["database"], cursorclass=pymysql.cursors.SSCursor)
    read = wr.mysql.read_sql_query
else:
    import pg8000
    link = pg8000.connect(host=login["host"], port=login["port"], user=login["username"], password=login["password"],
                          database=login["database"])
    read = wr.postgresql.read_sql_query
out = pathlib.Path(os.environ["BENCH_OUT"])
out.mkdir()
for number, frame in enumerate(read("SELECT * FROM events", link, chunksize=50_000)):
    if os.environ["BENCH_FORMAT"] == "csv":
        frame.to_csv(out / f"{number}.csv.gz", index=False)
    else:
        frame.to_parquet(out / f"{number}.parquet", index=False)
"""
