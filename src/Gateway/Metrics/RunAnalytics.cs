using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Stoa.Gateway.History;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Metrics;

/// <summary>
/// Reads the history of one agent for its analytics. Every statement names the organization, and reads by the index of its runs.
/// </summary>
internal sealed class RunAnalytics(NpgsqlDataSource source)
{
    private const int MostMessages = 20;
    private const int MostFacets = 100;

    private const string Where = """
        organization_id = $1 and agent_id = $2 and created_at >= $3 and created_at < $4
          and ($5::text[] is null or model = any($5)) and ($6::text[] is null or service = any($6))
          and ($7::smallint is null or user_feedback = $7) and (not $8 or not is_success)
          and ($9::text is null or version_id = $9) and ($10::text is null or testcase_id = $10) and ($11::text is null or message_id = $11)
          and ($12::text is null or strpos(lower(user_message), lower($12)) > 0 or strpos(lower(answer), lower($12)) > 0
            or starts_with(message_id, $12) or starts_with(thread_id, $12))
          and ($13::text[] is null or jsonb_path_exists(
            document, '$.tools_call_data[*].* ? (@.id == $ids[*] || @.name == $ids[*])', jsonb_build_object('ids', $13::text[]), true))
          and ($14::text[] is null or jsonb_path_exists(
            document, '$.tools_call_data[*].* ? (@.data.metadata.agent_id == $ids[*])', jsonb_build_object('ids', $14::text[]), true))
          and ($15::text[] is null or jsonb_path_exists(
            document, '$.tools_call_data[*].* ? (@.data.metadata.type == "RAG" && @.args.resource_id == $ids[*])', jsonb_build_object('ids', $15::text[]), true))
          and (not $16 or finish_reason = 'blocked')
          and ($17::jsonb is null or jsonb_build_object('service', service, 'model', model, 'version_id', version_id, 'thread_id', thread_id,
            'sub_thread_id', sub_thread_id, 'message_id', message_id, 'finish_reason', finish_reason) @> $17)
        """;

    /// <summary>Of the newest runs of an agent, what they called.</summary>
    private const string Called = """
        select distinct call #>> '{data,metadata,type}', call ->> 'id', call #>> '{data,metadata,agent_id}', call #>> '{args,resource_id}'
        from (select document from gateway.runs where organization_id = $1 and agent_id = $2 and created_at >= $3
          order by created_at desc limit 2000) as newest
        cross join lateral jsonb_path_query(document, 'lax $.tools_call_data[*].*') as call
        limit 1000
        """;

    /// <summary>Threads with the newest of their runs that match, and how many threads there are.</summary>
    public async Task<(JsonArray Threads, long Total)> ThreadsAsync(
        Guid organizationId, string agentId, AnalyticsQuery query, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = Command(
            $$"""
            with page as (
              select thread_id, max(updated_at) as at, count(*) over () as total
              from gateway.runs where {{Where}}
              group by thread_id order by max(updated_at) desc, thread_id limit $18 offset $19)
            select page.thread_id, page.at, newest.messages::text, page.total
            from page cross join lateral (
              select jsonb_agg(jsonb_build_object('message_id', message_id, 'message', user_message, 'sub_thread_id', sub_thread_id,
                'created_at', created_at) order by created_at desc) as messages
              from (
                select message_id, user_message, sub_thread_id, created_at from gateway.runs
                where {{Where}} and runs.thread_id = page.thread_id
                order by created_at desc limit {{MostMessages.ToString(CultureInfo.InvariantCulture)}}) as latest) as newest
            order by page.at desc, page.thread_id
            """,
            organizationId, agentId, query, now);
        command.Parameters.Add(new() { Value = query.RowsPerPage });
        command.Parameters.Add(new() { Value = (query.PageNumber - 1) * query.RowsPerPage });
        var threads = new JsonArray();
        var total = 0L;
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            total = reader.GetInt64(3);
            threads.Add((JsonNode)new JsonObject
            {
                ["id"] = reader.GetString(0),
                ["thread_id"] = reader.GetString(0),
                ["updated_at"] = reader.GetDateTime(1),
                ["message"] = JsonNode.Parse(reader.GetString(2)),
            });
        }
        return (threads, total);
    }

    public async Task<JsonObject> SummaryAsync(
        Guid organizationId, string agentId, AnalyticsQuery query, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = Command(
            $"""
            select count(*), count(*) filter (where is_success), count(*) filter (where is_cached), count(distinct thread_id),
              count(*) filter (where user_feedback = 1), count(*) filter (where user_feedback = 2)
            from gateway.runs where {Where}
            """,
            organizationId, agentId, query, now);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var runs = reader.GetInt64(0);
        return new()
        {
            ["total_runs"] = runs,
            ["success_count"] = reader.GetInt64(1),
            ["error_count"] = runs - reader.GetInt64(1),
            ["cached_count"] = reader.GetInt64(2),
            ["thread_count"] = reader.GetInt64(3),
            ["thumbs_up"] = reader.GetInt64(4),
            ["thumbs_down"] = reader.GetInt64(5),
        };
    }

    /// <summary>The values that the filters can take.</summary>
    public async Task<JsonObject> FacetsAsync(Guid organizationId, string agentId, DateTimeOffset from, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select service, model, version_id from gateway.runs
            where organization_id = $1 and agent_id = $2 and created_at >= $3
            group by service, model, version_id order by max(created_at) desc limit $4
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = agentId });
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = MostFacets });
        SortedSet<string> services = new(StringComparer.Ordinal),
            models = new(StringComparer.Ordinal), versions = new(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            services.Add(reader.GetString(0));
            models.Add(reader.GetString(1));
            if (!await reader.IsDBNullAsync(2, ct))
            {
                versions.Add(reader.GetString(2));
            }
        }
        var (tools, agents, bases) = await CalledAsync(organizationId, agentId, from, ct);
        return new()
        {
            ["tool_id"] = Values(tools),
            ["agent_id"] = Values(agents),
            ["knowledgebase_id"] = Values(bases),
            ["service"] = Values(services),
            ["model"] = Values(models),
            ["version_id"] = Values(versions),
            ["user_feedback"] = Values(["all", "good", "bad"]),
        };
    }

    private async Task<(SortedSet<string> Tools, SortedSet<string> Agents, SortedSet<string> Bases)> CalledAsync(
        Guid organizationId, string agentId, DateTimeOffset from, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Called);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = agentId });
        command.Parameters.Add(new() { Value = from });
        SortedSet<string> tools = new(StringComparer.Ordinal), agents = new(StringComparer.Ordinal), bases = new(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var (type, tool) = (reader.StringOrNull(0), reader.StringOrNull(1));
            var (agent, resource) = (reader.StringOrNull(2), reader.StringOrNull(3));
            var (into, value) = type switch { "agent" => (agents, agent), "RAG" => (bases, resource), _ => (tools, tool) };
            if (!string.IsNullOrEmpty(value))
            {
                into.Add(value);
            }
        }
        return (tools, agents, bases);
    }

    private static JsonArray Values(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode)value)]);

    private NpgsqlCommand Command(string sql, Guid organizationId, string agentId, AnalyticsQuery query, DateTimeOffset now)
    {
        var (from, to) = query.Window(now);
        var command = source.CreateCommand(sql);
        foreach (var (value, type) in ((object?, NpgsqlDbType)[])
            [
                (organizationId, NpgsqlDbType.Uuid),
                (agentId, NpgsqlDbType.Text),
                (from, NpgsqlDbType.TimestampTz),
                (to, NpgsqlDbType.TimestampTz),
                (Texts(query.Model, "model"), NpgsqlDbType.Array | NpgsqlDbType.Text),
                (Texts(query.Service, "service"), NpgsqlDbType.Array | NpgsqlDbType.Text),
                (query.Feedback, NpgsqlDbType.Smallint),
                (query.OnlyErrors, NpgsqlDbType.Boolean),
                (QueryValues.Text(query.VersionId, "version_id"), NpgsqlDbType.Text),
                (QueryValues.Text(query.TestcaseId, "testcase_id"), NpgsqlDbType.Text),
                (QueryValues.Text(query.MessageId, "message_id"), NpgsqlDbType.Text),
                (QueryValues.Text(query.Keyword, "keyword"), NpgsqlDbType.Text),
                (Texts(query.ToolId, "tool_id"), NpgsqlDbType.Array | NpgsqlDbType.Text),
                (Texts(query.CalledAgentId, "agent_id"), NpgsqlDbType.Array | NpgsqlDbType.Text),
                (Texts(query.KnowledgebaseId, "knowledgebase_id"), NpgsqlDbType.Array | NpgsqlDbType.Text),
                (query.OnlyWithheld, NpgsqlDbType.Boolean),
                (HistoryFilter.ColumnsOf(query.FilterBy) is { Count: > 0 } columns
                    ? new JsonObject(columns.Select(column => KeyValuePair.Create(column.Column, (JsonNode?)column.Value))).ToJsonString()
                    : null, NpgsqlDbType.Jsonb),
            ])
        {
            command.Parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        }
        return command;
    }

    /// <summary>Given once with commas or several times.</summary>
    private static string[]? Texts(string[]? values, string field)
    {
        string[] all =
            [.. (values ?? []).SelectMany(value => value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Select(value => QueryValues.Text(value, field)!)];
        return all.Length > 0 ? all : null;
    }
}
