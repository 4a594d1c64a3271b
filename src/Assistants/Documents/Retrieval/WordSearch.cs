using Npgsql;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>
/// Chunks that hold words of a question, by PostgreSQL's full text. Each word that is there counts, a rare one more than a common one, and
/// more in a title or when it is there often.
/// </summary>
internal sealed class WordSearch(NpgsqlDataSource source)
{
    private const int LongestQuestion = 2_000;

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
          select asked.lexeme, c.id, ts_rank('{0.4, 0.4, 0.4, 1}', c.words, asked.alone, 1) as rank
          from asked join assistants.document_chunks c on c.words @@ asked.own and c.language = asked.language and c.deleted_at is null
        ), weights as materialized (
          select hits.lexeme, ln(1 + total.count / count(*)) as weight from hits, total group by hits.lexeme, total.count
        )
        select hits.id from hits join weights using (lexeme)
        group by hits.id order by sum(weights.weight * (1 + 4 * hits.rank)) desc, hits.id
        limit $3
        """;

    /// <summary>Ids of chunks, the best first.</summary>
    public async Task<List<int>> FindAsync(string userId, string question, int most, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Statement);
        command.Parameters.Add(new() { Value = userId });
        command.Parameters.Add(new() { Value = question.Length <= LongestQuestion ? question : question[..LongestQuestion] });
        command.Parameters.Add(new() { Value = most });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var found = new List<int>();
        while (await rows.ReadAsync(ct))
        {
            found.Add(rows.GetInt32(0));
        }
        return found;
    }
}
