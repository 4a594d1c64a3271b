namespace Stoa.Bench.Documents;

/// <summary>
/// What somebody might ask about PostgreSQL, and the page that says it: twenty that count, twenty by which the search was weighed, and
/// twenty that nobody looked at while it was.
/// </summary>
internal static class ManualQuestions
{
    internal static readonly (string Question, string Page)[] All =
    [
        ("How do I reclaim storage occupied by dead tuples of a table?", "sql-vacuum.html"),
        ("Which setting determines the maximum number of concurrent connections to the database server?", "runtime-config-connection.html"),
        ("How are deadlocks detected and resolved?", "explicit-locking.html"),
        ("How can an index cover only a subset of the rows of a table?", "indexes-partial.html"),
        ("Which program extracts a database into a script file or archive for backup?", "app-pgdump.html"),
        ("How do I let users authenticate with an LDAP server?", "auth-ldap.html"),
        ("What does the pg_hba.conf file look like?", "auth-pg-hba-conf.html"),
        ("Which function extracts the year or month from a timestamp?", "functions-datetime.html"),
        ("How do I store and query JSON documents with jsonb containment operators?", "datatype-json.html"),
        ("What is the difference between Serializable and Repeatable Read isolation?", "transaction-iso.html"),
        ("How does a recursive query with WITH RECURSIVE work?", "queries-with.html"),
        ("How do I declare a table partitioned by range?", "ddl-partitioning.html"),
        ("How can I restore a database to an earlier point in time from archived WAL?", "continuous-archiving.html"),
        ("What is the largest size of a table and the most columns it can have?", "limits.html"),
        ("How do I send a notification to sessions that listen on a channel?", "sql-notify.html"),
        ("How do I restrict which rows a user can see with row level security policies?", "ddl-rowsecurity.html"),
        ("Which trigram functions measure the similarity of two strings?", "pgtrgm.html"),
        ("How do I copy data between a file and a table?", "sql-copy.html"),
        ("How does autovacuum prevent transaction ID wraparound failures?", "routine-vacuuming.html"),
        ("How do I run queries on a remote PostgreSQL server through a foreign table?", "postgres-fdw.html"),
    ];
    internal static readonly (string Question, string Page)[] Weighed =
    [
        ("How do I remove duplicate rows from the result of a select?", "queries-select-lists.html"),
        ("How do I give a user permission to read a table?", "sql-grant.html"),
        ("How do I insert a row or update it if it already exists?", "sql-insert.html"),
        ("How can I pass parameters to a prepared statement?", "sql-prepare.html"),
        ("How much memory should shared_buffers and work_mem have?", "runtime-config-resource.html"),
        ("How do I write a loop in PL/pgSQL?", "plpgsql-control-structures.html"),
        ("Which types of index does PostgreSQL offer?", "indexes-types.html"),
        ("How do I match a string against a regular expression?", "functions-matching.html"),
        ("How do I declare an array column and access its elements?", "arrays.html"),
        ("What is a publication in logical replication?", "logical-replication-publication.html"),
        ("How do I create an enumerated type?", "datatype-enum.html"),
        ("What is a tablespace and how do I put tables on another disk?", "manage-ag-tablespaces.html"),
        ("How do I run a benchmark that measures transactions per second?", "pgbench.html"),
        ("How can a foreign key delete the rows that depend on it?", "ddl-constraints.html"),
        ("How do I keep reservations from overlapping in time with range types?", "rangetypes.html"),
        ("Which meta-commands does the interactive terminal have?", "app-psql.html"),
        ("How do I lock a table explicitly in a transaction?", "sql-lock.html"),
        ("How do I generate a series of numbers?", "functions-srf.html"),
        ("How do I refresh a materialized view?", "sql-refreshmaterializedview.html"),
        ("How do I initialise a new database cluster on disk?", "app-initdb.html"),
    ];

    internal static readonly (string Question, string Page)[] HoldOut =
    [
        ("How can I see the plan that the planner chooses for a query?", "using-explain.html"),
        ("Which column types hold exact decimal numbers such as amounts of money?", "datatype-numeric.html"),
        ("How do I create a sequence generator with a start value and an increment?", "sql-createsequence.html"),
        ("How do I log every change to a table with a PL/pgSQL trigger procedure?", "plpgsql-trigger.html"),
        ("How do I encrypt the connections between client and server with certificates?", "ssl-tcp.html"),
        ("Which tool checks a backup against its manifest?", "app-pgverifybackup.html"),
        ("How do I upgrade a cluster to a new major version without dump and restore?", "pgupgrade.html"),
        ("What does a standby need to stream WAL from the primary?", "warm-standby.html"),
        ("Which character sets and encodings does the server support?", "multibyte.html"),
        ("Which function gives the rank of the current row with gaps?", "functions-window.html"),
        ("How do I parse a text into a tsvector and highlight the search results?", "textsearch-controls.html"),
        ("Where does the server write its log messages and when are log files rotated?", "runtime-config-logging.html"),
        ("How do I change the password of a role?", "sql-alterrole.html"),
        ("How are null values compared with IS DISTINCT FROM?", "functions-comparison.html"),
        ("How do I store key/value pairs in a single column?", "hstore.html"),
        ("How can several statements be grouped so that all take effect or none?", "tutorial-transactions.html"),
        ("How can I cancel the running query of another session?", "functions-admin.html"),
        ("How do I build an index without locking out writes?", "sql-createindex.html"),
        ("Which statistics view shows how often an index was scanned?", "monitoring-stats.html"),
        ("How do I create a table from the results of a query?", "sql-createtableas.html"),
    ];
}
