using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Statistics;

/// <summary>
/// How a board is computed: a set-based statement that counts, another that ranks. A window counts what lies in it, by the indexes on
/// dates; the total counts again only those whom something new concerns, except in a full run. Several frames are counted at once: each row
/// falls into the shortest that holds it, and the longer ones add up the shorter.
/// </summary>
/// <param name="Table">Of the schema.</param>
/// <param name="Concerned">Selects <c>user_id</c> of whom something since $1 concerns.</param>
/// <param name="Count">
/// Inserts the rows of the frames $1 at $3; <c>frame</c> has their names, base dates and places, the longest first. It gets the clauses
/// that
/// narrow it: a column's date from the first of the base dates $2 on, and a column's user among $4; each stands in the text only where it
/// says something, so that the indexes serve.
/// </param>
/// <param name="Rank">Numbers the rows of the frames $1; only those whose place has changed are written.</param>
internal sealed record FrameUpdate(string Table, string Concerned, Func<FrameUpdate.Narrowed, string> Count, string Rank)
{
    /// <summary>The frames; a total has no base date, which is earlier than all.</summary>
    public const string Frames = """
        frame as (
          select name, nullif(base, '-infinity') as base, place from unnest($1::text[], $2::timestamptz[]) with ordinality as given (name, base, place)
        )
        """;

    /// <summary>A transaction that began before the last run may have been committed after it.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(10);

    internal sealed record Narrowed(bool HasBase, bool HasUsers)
    {
        public string From(string column) => HasBase ? $"and {column} >= ($2::timestamptz[])[1]" : "";

        public string Of(string column) => HasUsers ? $"and {column} = any ($4)" : "";

        /// <summary>The place of the shortest frame that holds the date.</summary>
        public static string Place(string column) => $"width_bucket({column}, $2::timestamptz[]) as place";
    }

    /// <param name="frames">The longest first, as windows lie in each other.</param>
    /// <param name="everyone">Counts all of the total again; for what no date tells, such as deletions.</param>
    public async Task RunAsync(
        NpgsqlDataSource source, IReadOnlyList<TimeFrame> frames, DateTimeOffset now, bool everyone, CancellationToken ct)
    {
        var names = frames.Select(EnumNames<TimeFrame>.Write).ToArray();
        // The least of dates is minus infinity to the database.
        var bases = frames.Select(frame => frame.BaseDate(now) ?? DateTimeOffset.MinValue).ToArray();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // Whole tables are joined: what does not fit into memory goes through files.
        await using (var turn = new NpgsqlCommand(
            "select pg_advisory_xact_lock(hashtext($1 || name)), set_config('work_mem', '64MB', true) from unnest($2::text[]) as name",
            connection)
        {
            Parameters = { new() { Value = $"feedback.{Table}." }, new() { Value = names } },
        })
        {
            await turn.ExecuteNonQueryAsync(ct);
        }
        var users = frames is [TimeFrame.Total] && !everyone ? await ConcernedAsync(connection, ct) : null;
        var narrowed = new Narrowed(frames[0] != TimeFrame.Total, users is not null);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[$"delete from feedback.{Table} where time_frame = any ($1) {narrowed.Of("user_id")}",
            Count(narrowed), Rank])
        {
            batch.BatchCommands.Add(new(sql)
            {
                // All have the same; not all use each.
                Parameters =
                {
                    new() { Value = names, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                    new() { Value = bases, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz },
                    new() { Value = now, NpgsqlDbType = NpgsqlDbType.TimestampTz },
                    new() { Value = (object?)users ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
                },
            });
        }
        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Null when there is no total yet.</summary>
    private async Task<Guid[]?> ConcernedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var last = new NpgsqlCommand($"select max(modified_date) from feedback.{Table} where time_frame = 'total'", connection);
        if (await last.ExecuteScalarAsync(ct) is not DateTime modified)
        {
            return null;
        }
        await using var command = new NpgsqlCommand(Concerned, connection) { Parameters = { new() { Value = modified - Slack } } };
        var users = new List<Guid>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            users.Add(row.GetGuid(0));
        }
        return [.. users];
    }
}
