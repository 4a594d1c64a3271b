using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Collection;

/// <summary>One source, and how its replies fared against those of others.</summary>
/// <param name="Replies">How many of its replies were ranked at all.</param>
/// <param name="WinRate">Of its pairs with other sources; null when there are none.</param>
internal sealed record SourceFigures(
    string Name, string? AgentVersion, string? Model, string? Provider, long Replies, long Wins, long Losses, double? WinRate);

/// <summary>How often one source was placed before another. Sources are named by their places in the list.</summary>
internal sealed record SourcePair(int Winner, int Loser, long Wins);

internal sealed record PreferenceFigures(IReadOnlyList<SourceFigures> Sources, IReadOnlyList<SourcePair> Pairs);

/// <summary>What people preferred, out of every single ranking of an organization's replies.</summary>
internal sealed class Preferences(NpgsqlDataSource source)
{
    // From the sources to the rankings of their siblings. A reply beats those that a ranking places behind it.
    private const string Pairs = """
        select winner.name, winner.agent_version, winner.model, winner.provider, loser.name, loser.agent_version, loser.model,
          loser.provider, count(*)
        from feedback.message_source winner
        join feedback.message on message.id = winner.message_id
        join feedback.message_reaction on ranking_parent_id = message.parent_id and kind = 'ranking'
        cross join lateral unnest(ranked_ids[array_position(ranked_ids, message.id) + 1 : ]) as behind (id)
        join feedback.message_source loser on loser.message_id = behind.id
        where winner.organization_id = $1 and loser.organization_id = $1 and message.id = any (ranked_ids)
          and not coalesce(not_rankable, false)
          and ($2 is null or message_reaction.created_date >= $2) and ($3 is null or message_reaction.created_date < $3)
        group by 1, 2, 3, 4, 5, 6, 7, 8
        """;

    private const string Sources = """
        select name, agent_version, model, provider, count(*) filter (where exists (
          select from feedback.message_reaction
            where ranking_parent_id = message.parent_id and kind = 'ranking' and message.id = any (ranked_ids)))
        from feedback.message_source join feedback.message on message.id = message_id
        where organization_id = $1
        group by 1, 2, 3, 4
        order by 1, 2, 3, 4
        """;

    /// <param name="from">Rankings given then or later.</param>
    /// <param name="before">Rankings given earlier.</param>
    public async Task<PreferenceFigures> OfAsync(Guid organizationId, DateTimeOffset? from, DateTimeOffset? before, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var sources =
            await connection.ListAsync(Statement.Of(Sources, organizationId), row => (Source: Read(row, 0), Replies: row.GetInt64(4)), ct);
        var statement = Statement.Of(Pairs, organizationId);
        statement.Parameters.Add(new() { Value = (object?)from ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        statement.Parameters.Add(new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        var places = sources.Index().ToDictionary(one => one.Item.Source, one => one.Index);
        var pairs = (await connection.ListAsync(
            statement, row => new SourcePair(places[Read(row, 0)], places[Read(row, 4)], row.GetInt64(8)), ct))
            // Two replies of one source tell nothing of it.
            .Where(pair => pair.Winner != pair.Loser).OrderBy(pair => (pair.Winner, pair.Loser)).ToList();
        return new(
            [.. sources.Select((one, place) =>
            {
                var (wins, losses) = (pairs.Where(pair => pair.Winner == place).Sum(pair => pair.Wins),
                    pairs.Where(pair => pair.Loser == place).Sum(pair => pair.Wins));
                return new SourceFigures(
                    one.Source.Name, one.Source.AgentVersion, one.Source.Model, one.Source.Provider, one.Replies, wins, losses,
                    wins + losses == 0 ? null : (double)wins / (wins + losses));
            })],
            pairs);
    }

    private static Key Read(NpgsqlDataReader row, int first) =>
        new(row.GetString(first), row.StringOrNull(first + 1), row.StringOrNull(first + 2), row.StringOrNull(first + 3));

    private sealed record Key(string Name, string? AgentVersion, string? Model, string? Provider);
}
