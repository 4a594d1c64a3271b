using Npgsql;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>
/// Chunks that hold words of a question, by PostgreSQL's full text. Each word that is there counts, a rare one more than a common one, and
/// more in a title or when it is there often.
/// </summary>
internal sealed class WordSearch(NpgsqlDataSource source)
{
    private const int LongestQuestion = 2_000;

    private const int MostRead = 600;

    // How often a word stands in a chunk costs reading all of its words, so it is only looked at where it can matter: a chunk whose words weigh
    // much less than those of the last that is wanted does not come before it by being full of them. What is read is unpacked once, by the empty addition.
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
          select asked.lexeme, asked.alone, c.id
          from asked join assistants.document_chunks c on c.words @@ asked.own and c.language = asked.language and c.deleted_at is null
        ), weights as materialized (
          select hits.lexeme, ln(1 + total.count / count(*)) as weight from hits, total group by hits.lexeme, total.count
        ), rough as materialized (
          select hits.id, sum(weights.weight) as weight from hits join weights using (lexeme) group by hits.id
        ), promising as materialized (
          select id from rough
          where weight >= 0.6 * (select min(weight) from (select weight from rough order by weight desc limit $3) best)
          order by weight desc, id limit $4
        ), read as materialized (
          select c.id, c.words || ''::tsvector as words from promising join assistants.document_chunks c using (id)
        )
        select hits.id
        from read join hits using (id) join weights using (lexeme)
        group by hits.id order by sum(weights.weight * (1 + 4 * ts_rank('{0.4, 0.4, 0.4, 1}', read.words, hits.alone, 1))) desc, hits.id
        limit $3
        """;

    /// <summary>Ids of chunks, the best first.</summary>
    public async Task<List<int>> FindAsync(string userId, string question, int most, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Statement);
        command.Parameters.Add(new() { Value = userId });
        command.Parameters.Add(new() { Value = question.Length <= LongestQuestion ? question : question[..LongestQuestion] });
        command.Parameters.Add(new() { Value = most });
        command.Parameters.Add(new() { Value = Math.Max(most, MostRead) });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var found = new List<int>();
        while (await rows.ReadAsync(ct))
        {
            found.Add(rows.GetInt32(0));
        }
        return found;
    }
}
