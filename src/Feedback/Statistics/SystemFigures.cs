using System.Text.Json;
using Npgsql;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Statistics;

/// <summary>Figures of the whole: counted now, or cached for the web site.</summary>
internal sealed class SystemFigures(NpgsqlDataSource source, TimeProvider time)
{
    public const string Totals = """
        select lang, count(*), count(*) filter (where not deleted), count(*) filter (where parent_id is null)
          from feedback.message group by lang
        """;

    // What each of the cached figures is, as one JSON value.
    private static readonly (string Name, string Sql)[] Cached =
    [
        ("human_messages_by_lang", """
            select coalesce(jsonb_object_agg(lang, count), '{}') from (
              select lang, count(*) from feedback.message where not deleted and review_result and not synthetic group by lang) as counted
            """),
        ("human_messages_by_role", """
            select coalesce(jsonb_object_agg(role, count), '{}') from (
              select role, count(*) from feedback.message where not deleted and review_result and not synthetic group by role) as counted
            """),
        ("message_trees_by_state", """
            select coalesce(jsonb_object_agg(state, count), '{}') from (
              select state, count(*) from feedback.message_tree_state group by state) as counted
            """),
        ("message_trees_states_by_lang", """
            select coalesce(jsonb_agg(jsonb_build_object('lang', lang, 'state', state, 'count', count) order by lang, state), '[]') from (
              select lang, state, count(*) from feedback.message_tree_state group by lang, state) as counted
            """),
        ("users_accepted_tos", """
            select jsonb_build_object('count', count(*)) from feedback.user where enabled and tos_acceptance_date is not null
            """),
    ];

    public static readonly string[] CachedNames = [.. Cached.Select(one => one.Name)];

    public async Task<SystemStats> CountAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await CountAsync(connection, ct);
    }

    /// <summary>As the transaction that is open on the connection sees it.</summary>
    public static async Task<SystemStats> CountAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var byLang = await connection.ListAsync(Statement.Of(Totals),
            row => (Lang: row.GetString(0), All: (int)row.GetInt64(1), Active: (int)row.GetInt64(2), Trees: (int)row.GetInt64(3)), ct);
        return new(
            byLang.Sum(one => one.All), byLang.Sum(one => one.Active),
            byLang.Where(one => one.Active > 0).ToDictionary(one => one.Lang, one => one.Active, StringComparer.Ordinal),
            byLang.Sum(one => one.All - one.Active), byLang.Sum(one => one.Trees));
    }

    /// <summary>Only states in which there are trees.</summary>
    public async Task<Dictionary<string, int>> StatesAsync(CancellationToken ct) =>
        (await source.ListAsync(
            Statement.Of("select state, count(*) from feedback.message_tree_state group by state"),
            row => (row.GetString(0), (int)row.GetInt64(1)), ct)).ToDictionary(StringComparer.Ordinal);

    public async Task<IReadOnlyList<TreeMessageCountStats>> TreesAsync(bool onlyActive, CancellationToken ct) => await source.ListAsync(
        Statement.Of($"""
            select tree.message_tree_id, state, max(depth), min(created_date), max(created_date), count(*), goal_tree_size
            from feedback.message_tree_state as tree join feedback.message on message.message_tree_id = tree.message_tree_id
            where not deleted {(onlyActive ? "and active" : "")}
            group by tree.message_tree_id
            order by tree.message_tree_id
            """),
        row => new TreeMessageCountStats(
            row.GetGuid(0), row.GetString(1), row.GetInt32(2), row.GetFieldValue<DateTimeOffset>(3), row.GetFieldValue<DateTimeOffset>(4),
            (int)row.GetInt64(5), row.GetInt32(6)),
        ct);

    public async Task<List<CachedStatsResponse>> CachedAsync(string? name, CancellationToken ct) => await source.ListAsync(
        Statement.Of(
            $"select name, modified_date, stats from feedback.cached_stats {(name is null ? "" : "where name = $1")} order by name",
            name is null ? [] : [name]),
        row => new CachedStatsResponse(
            row.GetString(0), row.GetFieldValue<DateTimeOffset>(1), JsonElement.Parse(row.GetString(2))),
        ct);

    public async Task UpdateCachedAsync(CancellationToken ct)
    {
        await using var batch = source.CreateBatch();
        foreach (var (name, sql) in Cached)
        {
            batch.BatchCommands.Add(Statement.Of($"""
                insert into feedback.cached_stats (name, modified_date, stats) values ($1, $2, ({sql}))
                on conflict (name) do update set modified_date = excluded.modified_date, stats = excluded.stats
                """, name, time.GetUtcNow()));
        }
        await batch.ExecuteNonQueryAsync(ct);
    }
}
