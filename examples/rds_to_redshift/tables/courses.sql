-- The catalogue: a few hundred rows, loaded anew in each run, a copy on every node.
CREATE TABLE IF NOT EXISTS learning.courses (
  course_id    INTEGER       NOT NULL ENCODE raw,
  slug         VARCHAR(120)  NOT NULL ENCODE zstd,
  title        VARCHAR(400)           ENCODE zstd,
  description  VARCHAR(8000)          ENCODE zstd,
  price        DECIMAL(8,2)           ENCODE az64,
  is_free      BOOLEAN                ENCODE zstd,
  published_on DATE                   ENCODE az64,
  updated_at   TIMESTAMP     NOT NULL ENCODE az64,
  PRIMARY KEY (course_id)
)
DISTSTYLE ALL
SORTKEY (course_id);
