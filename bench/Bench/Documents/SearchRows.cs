using System.Globalization;
using System.Text;

namespace Stoa.Bench.Documents;

/// <summary>
/// Fills the tables of documents as their readers would have: of each seven pieces six are those of users who each have as many as
/// PostgreSQL's manual has, and the rest those of users who have one small website. What the pieces are searched by is made at the end.
/// </summary>
internal static class SearchRows
{
    internal const int Large = 8_500, Small = 250;

    private const int Pool = 4_000, Vocabulary = 20_000, Words = 110, Dimensions = 256, PiecesOfDocument = 8;

    private static readonly string[] Syllables =
        ["ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo", "kra", "ple", "stri"];

    internal static int LargeUsers(int pieces) => Math.Max(1, pieces * 6 / 7 / Large);

    internal static int SmallUsers(int pieces) => Math.Max(1, (pieces - (LargeUsers(pieces) * Large)) / Small);

    /// <summary>A few words of the vocabulary, common and rare ones, as somebody would ask.</summary>
    internal static string Question(Random random) => $"How do I {string.Join(' ', Enumerable.Range(0, 6).Select(_ => Word(random)))}?";

    internal static string Sql(int pieces)
    {
        var random = new Random(7);
        var sql = new StringBuilder("""
            set synchronous_commit = off; set jit = off; set maintenance_work_mem = '1GB'; set max_parallel_workers_per_gather = 0;
            create temp table later as
              select pg_get_indexdef(indexrelid) as made, indexrelid::regclass::text as name
              from pg_index where indrelid = 'assistants.document_chunks'::regclass and not indisprimary;
            do $do$ declare name text; begin for name in select l.name from later l loop execute 'drop index ' || name; end loop; end $do$;
            create temp table pool (n integer primary key, text text, embedding bytea, signature text);
            copy pool from stdin;

            """);
        for (var n = 0; n < Pool; n++)
        {
            var (vector, signature) = Vector(random);
            sql.Append(CultureInfo.InvariantCulture,
                $"{n}\t{string.Join(' ', Enumerable.Range(0, Words).Select(_ => Word(random)))}.\t\\\\x{vector}\t{signature}\n");
        }
        return sql.Append(CultureInfo.InvariantCulture, $$"""
            \.
            insert into assistants.users (id, organization_id, name, email)
            select who, (select id from platform.organizations order by id limit 1), who, who || '@example.org' from (
              select 'large-' || n as who from generate_series(0, {{LargeUsers(pieces) - 1}}) n union all
              select 'small-' || n from generate_series(0, {{SmallUsers(pieces) - 1}}) n) as everybody;
            create temp table documents_of as
              select u.id as user_id, d from assistants.users u
              cross join lateral generate_series(0, case when u.id like 'large-%' then {{Large / PiecesOfDocument}} else {{Small / PiecesOfDocument}} end) d
              where u.id like 'large-%' or u.id like 'small-%';
            insert into assistants.documents (user_id, document_type, name, title, language, content_hash, version, updated_at, checked_at)
            select user_id, 'webpage', 'https://example.org/' || user_id || '/' || d, 'Page ' || d, 'en', decode(md5(user_id || d), 'hex'), 1, now(), now()
            from documents_of;
            insert into assistants.document_chunks
              (document_id, user_id, index, text, title, language, content_hash, embedding, embedding_model, embedded_at, signature)
            select d.id, d.user_id, piece, pool.text, d.title, d.language, decode(md5(d.id || ' ' || piece), 'hex'), pool.embedding, 'demo/demo', now(),
              pool.signature::varbit
            from assistants.documents d cross join generate_series(0, {{PiecesOfDocument - 1}}) piece
            join pool on pool.n = (d.id::bigint * 7919 + piece * 104729) % {{Pool}}
            where d.user_id like 'large-%' or d.user_id like 'small-%';
            do $do$ declare made text; begin for made in select l.made from later l loop execute made; end loop; end $do$;
            vacuum analyze assistants.document_chunks; vacuum analyze assistants.documents; vacuum analyze assistants.users;
            checkpoint;

            """).ToString();
    }

    /// <summary>
    /// Few words stand in many texts, and most words in few. The twenty commonest are left out, as a language's own are that say nothing:
    /// the next one stands in every second text.
    /// </summary>
    private static string Word(Random random)
    {
        var rank = (int)Math.Pow(Vocabulary, 0.3 + (0.7 * random.NextDouble()));
        var word = new StringBuilder();
        for (var rest = rank + 40; rest > 0; rest /= Syllables.Length)
        {
            word.Append(Syllables[rest % Syllables.Length]);
        }
        return word.ToString();
    }

    private static (string Hex, string Signature) Vector(Random random)
    {
        var numbers = Enumerable.Range(0, Dimensions).Select(_ => (float)((random.NextDouble() * 2) - 1)).ToArray();
        var length = MathF.Sqrt(numbers.Sum(number => number * number));
        var bytes = new byte[Dimensions * sizeof(float)];
        for (var place = 0; place < Dimensions; place++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(place * sizeof(float)), numbers[place] / length);
        }
        return (Convert.ToHexStringLower(bytes), string.Concat(numbers.Select(number => number > 0 ? '1' : '0')));
    }
}
