using Npgsql;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>
/// Chunks that hold words of a question, by PostgreSQL's full text. Each word that is there counts, a rare one more than a common one, and
/// more in a title or when it is there often.
/// </summary>
internal sealed class WordSearch(NpgsqlDataSource source)
{
    private const int LongestQuestion = 2_000;

    // Each costs a reading from beside the row, which is most of what a search costs.
    private const int MostRead = 400;

    // How often a word stands in a chunk costs reading all of its words, so it is only looked at where it can matter: a chunk whose words
    // weigh
    // much less than those of the last that is wanted does not come before it by being full of them. What is read is unpacked once, by the
    // empty addition.
    private const string Statement = """
        with languages as materialized (
          select distinct language from assistants.documents where user_id = $1 and deleted_at is null limit 12
        ), total as materialized (
          select greatest(count(*), 1)::double precision as count from assistants.document_chunks where user_id = $1 and deleted_at is null
        ), asked as materialized (
          select l.language, word.lexeme, term.query as alone,
            term.query && ('''owner:' || replace(replace($1, '\', '\\'), '''', '''''') || '''')::tsquery as own
          from languages l, lateral unnest(to_tsvector(assistants.text_config(l.language), $2)) word,
            lateral (select ('''' || replace(replace(word.lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as query) term
          order by length(word.lexeme) desc limit 24
        ), hits as materialized (
          select asked.lexeme, asked.alone, here.ids from asked cross join lateral (
            select array_agg(c.id) as ids from assistants.document_chunks c
            where c.words @@ asked.own and c.language = asked.language and c.deleted_at is null
          ) here where here.ids is not null
        ), weighed as materialized (
          select alone, ids, ln(1 + total.count / sum(cardinality(ids)) over (partition by lexeme)) as weight from hits, total
        ), rough as materialized (
          select id, sum(weight) as weight from weighed, unnest(ids) id group by id
        ), promising as materialized (
          select id from rough where weight >= 0.6 * (select min(weight) from (select weight from rough order by weight desc limit $3) best)
          order by weight desc, id limit $4
        ), read as materialized (
          select id, c.words || ''::tsvector as words from promising join assistants.document_chunks c using (id)
        )
        select read.id from read join (select id, alone, weight from weighed, unnest(ids) id) word using (id)
        group by read.id
          order by sum(word.weight * (1 + 4 * ts_rank('{0.4, 0.4, 0.4, 1}', read.words, word.alone, 1))) desc, read.id limit $3
        """;

    /// <summary>Ids of chunks, the best first.</summary>
    public async Task<List<int>> FindAsync(string userId, string question, int most, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(Statement, connection);
        command.Parameters.Add(new() { Value = userId });
        command.Parameters.Add(new() { Value = question.Length <= LongestQuestion ? question : question[..LongestQuestion] });
        command.Parameters.Add(new() { Value = most });
        command.Parameters.Add(new() { Value = Math.Max(most, MostRead) });
        // The first time on a connection only: planning takes milliseconds, and nobody asks so that another plan were better.
        await command.PrepareAsync(ct);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var found = new List<int>();
        while (await rows.ReadAsync(ct))
        {
            found.Add(rows.GetInt32(0));
        }
        return found;
    }
}
