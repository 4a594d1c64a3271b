using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Writes what a run leaves behind, before its answer ends: the row of the history, the conversation, the last uses, the jobs that follow,
/// and the end of its turn. One round trip, all or nothing.
/// </summary>
internal sealed class RunLog(NpgsqlDataSource database, JobQueue jobs, TimeProvider time)
{
    private const string Row = """
        insert into gateway.runs (id, created_at, updated_at, organization_id, agent_id, version_id, thread_id, sub_thread_id, message_id,
          parent_id, child_id, service, model, is_success, is_cached, finish_reason, user_message, answer, error, testcase_id, document, batch_id)
        values ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        """;

    /// <summary>A line of a batch has one row: the one that waited, or that of an attempt that failed, goes.</summary>
    private const string Waiting = """
        delete from gateway.runs where organization_id = $1 and message_id = $2 and batch_id = $3 and not is_success
        """;

    private const string Thread = """
        insert into gateway.threads (organization_id, agent_id, thread_id, sub_thread_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        on conflict (organization_id, agent_id, thread_id, sub_thread_id) do update set updated_at = excluded.updated_at
        """;

    private const string HandOver = """
        update gateway.threads set sticky_agent_id = $5, sticky_at = $6
        where organization_id = $1 and agent_id = $2 and thread_id = $3 and sub_thread_id = $4
        """;

    private const string LastUses = """
        insert into gateway.last_uses (id, organization_id, at) select id, $2, $3 from unnest($1) as used (id) order by id
        on conflict (id) do update set at = excluded.at
        """;

    /// <summary>A row that all runs of an agent would write is written no more often than this by a node.</summary>
    private static readonly TimeSpan UseEvery = TimeSpan.FromSeconds(10);
    private const int MaxRemembered = 100_000;

    private readonly ConcurrentDictionary<string, long> uses = new(StringComparer.Ordinal);

    public async Task WriteAsync(Run run, RunResult result, string? nextMessageId, IReadOnlyList<NewJob> following, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        // Statements of one batch are one transaction already.
        await using var transaction = following.Count > 0 ? await connection.BeginTransactionAsync(ct) : null;
        await using var batch = new NpgsqlBatch(connection, transaction);
        var now = run.LoggedAt;
        if (run.Request.BatchId is { } batchId)
        {
            batch.BatchCommands.Add(new(Waiting)
            {
                Parameters = { new() { Value = run.Request.OrganizationId }, new() { Value = run.Request.MessageId }, new() { Value = batchId } },
            });
        }
        batch.BatchCommands.Add(RowOf(run, result, nextMessageId, now));
        if (run.Plan.AgentId is { } agentId)
        {
            var thread = new ThreadKey(run.Request.OrganizationId, agentId, run.ThreadId, run.SubThreadId).Command(Thread);
            thread.Parameters.Add(new() { Value = now });
            batch.BatchCommands.Add(thread);
            if (run.Transfer is { } transfer)
            {
                var handOver = new ThreadKey(run.Request.OrganizationId, run.Request.OriginAgentId ?? agentId, run.ThreadId, run.SubThreadId).Command(HandOver);
                handOver.Parameters.Add(new() { Value = transfer.AgentId });
                handOver.Parameters.Add(new() { Value = now });
                batch.BatchCommands.Add(handOver);
            }
            if (new[] { agentId, run.Choice.KeyId }.OfType<string>().Where(IsDue).ToArray() is { Length: > 0 } used)
            {
                batch.BatchCommands.Add(new(LastUses)
                {
                    Parameters = { new() { Value = used }, new() { Value = run.Request.OrganizationId }, new() { Value = now } },
                });
            }
        }
        foreach (var (keyId, status) in run.KeyStatuses.Where(key => run.Plan.Agent?.Keys.Values.Any(known => known.Id == key.Key && known.Status == key.Value) != true))
        {
            batch.BatchCommands.Add(new("update gateway.provider_keys set status = $3 where id = $1 and organization_id = $2 and status <> $3")
            {
                Parameters = { new() { Value = keyId }, new() { Value = run.Request.OrganizationId }, new() { Value = status } },
            });
        }
        if (run.Turn is { } turn)
        {
            batch.BatchCommands.Add(new(ThreadTurns.Release) { Parameters = { new() { Value = turn.Holder } } });
        }
        await batch.PrepareAsync(ct);
        await batch.ExecuteNonQueryAsync(ct);
        if (transaction is not null)
        {
            await jobs.EnqueueAsync(connection, following, ct);
            await transaction.CommitAsync(ct);
            jobs.Wake();
        }
        run.Turn?.IsReleased = true;
    }

    private static NpgsqlBatchCommand RowOf(Run run, RunResult result, string? nextMessageId, DateTimeOffset now) => new(Row)
    {
        Parameters =
        {
            new() { Value = run.Id },
            new() { Value = now },
            new() { Value = run.Request.OrganizationId },
            new() { Value = run.Plan.AgentId ?? "" },
            Text(run.Plan.VersionId),
            Text(run.ThreadId),
            Text(run.SubThreadId),
            Text(run.Request.MessageId),
            Text(run.Request.ParentMessageId),
            Text(nextMessageId),
            Text(run.Choice.Service.Name),
            Text(run.Choice.Model),
            new() { Value = result.IsSuccess },
            new() { Value = run.IsCached },
            Text(EndOf(run, result)),
            Text(run.Input.User),
            Text(result.IsSuccess || run.Content.Length > 0 ? run.Content : null),
            Text(result.Response.Text("error") ?? result.Failure?.Message),
            Text(run.Request.TestCaseId),
            new() { Value = StoredText.Json(DocumentOf(run, result)), NpgsqlDbType = NpgsqlDbType.Jsonb },
            Text(run.Request.BatchId),
        },
    };

    private static string EndOf(Run run, RunResult result) => result switch
    {
        { IsSuccess: true } => StandardAnswer.WordOf(run.FinishReason),
        { Status: 499 } => "cancelled",
        { Failure: null } => "blocked",
        _ => "error",
    };

    /// <summary>The rest of the row, in the words of the wire. Keys of providers and the content of attachments are no part of it.</summary>
    private static JsonObject DocumentOf(Run run, RunResult result) => new()
    {
        ["prompt"] = run.SystemText,
        ["reasoning"] = run.Reasoning,
        ["tools_call_data"] = run.Rounds.ToLog(),
        ["tokens"] = new JsonObject
        {
            ["input_tokens"] = run.Usage.Input,
            ["output_tokens"] = run.Usage.Output,
            ["expected_cost"] = run.Cost,
            ["cached_tokens"] = run.Usage.CacheRead,
            ["is_estimated"] = run.Usage.Estimated,
        },
        ["variables"] = run.Variables?.All.DeepClone(),
        ["missing_variables"] = new JsonArray([.. run.MissingVariables.Select(name => (JsonNode)name)]),
        ["latency"] = run.Clock.ToLog(run.Seconds),
        ["AiConfig"] = run.Asked.DeepClone(),
        ["user_urls"] = UrlsOf(run),
        ["llm_urls"] = run.MadeUrls.DeepClone(),
        ["annotations"] = run.Annotations.DeepClone(),
        ["plans"] = run.Plans?.DeepClone(),
        ["fallback_model"] = run.IsFallback ? new JsonObject { ["service"] = run.Choice.Service.Name, ["model"] = run.Choice.Model } : null,
        ["firstAttemptError"] = run.FirstAttemptError,
        ["attempts"] = run.Attempts.DeepClone(),
        ["user_id"] = run.Request.Caller.UserId,
        ["guardrails"] = run.GuardrailVerdict?.DeepClone(),
        ["testcase_data"] = run.Input.Body.Object("testcase_data")?.DeepClone(),
        ["is_playground"] = run.Request.IsPlayground,
        ["batch_data"] = run.Request.BatchId is not { } batchId ? null : new JsonObject
        {
            ["batch_id"] = batchId, ["custom_id"] = run.Request.MessageId, ["status"] = result.IsSuccess ? "completed" : "failed",
        },
    };

    private static JsonArray UrlsOf(Run run) =>
    [
        .. run.Input.Images.Select(image => Url(image, "image")),
        .. run.Input.Files.Select(file => Url(file, "pdf")),
        .. run.ThreadFiles.Select(file => new JsonObject { ["url"] = file, ["type"] = "pdf", [AttachmentReading.OfThread] = true }),
        .. run.Input.Audios.Select(audio => Url(audio, "audio")),
        .. run.Input.Videos.Append(run.Input.YouTube).Append(run.Input.VideoFile.Name("uri")).OfType<string>().Select(video => Url(video, "video")),
    ];

    private static JsonObject Url(string address, string type) => new()
    {
        ["url"] = address.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? "(inline)" : address,
        ["type"] = type,
    };

    private bool IsDue(string id)
    {
        var now = time.GetTimestamp();
        if (uses.TryGetValue(id, out var last) && time.GetElapsedTime(last, now) < UseEvery)
        {
            return false;
        }
        if (uses.Count > MaxRemembered)
        {
            uses.Clear();
        }
        uses[id] = now;
        return true;
    }

    private static NpgsqlParameter Text(string? value) =>
        new() { Value = value is null ? DBNull.Value : StoredText.Clean(value), NpgsqlDbType = NpgsqlDbType.Text };
}

/// <summary>Makes of any text one that PostgreSQL keeps: it knows no NUL and no half of a surrogate pair.</summary>
internal static class StoredText
{
    public static string Clean(string text)
    {
        var clean = text.Contains('\0', StringComparison.Ordinal) ? text.Replace("\0", "", StringComparison.Ordinal) : text;
        for (var at = 0; at < clean.Length; at++)
        {
            if (char.IsHighSurrogate(clean[at]) && at + 1 < clean.Length && char.IsLowSurrogate(clean[at + 1]))
            {
                at++;
            }
            else if (char.IsSurrogate(clean[at]))
            {
                return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(clean));
            }
        }
        return clean;
    }

    /// <summary>The same in JSON, where a NUL is an escape.</summary>
    public static string Json(JsonNode node)
    {
        var json = Clean(node.Compact());
        const string Nul = @"\u0000";
        if (!json.Contains(Nul, StringComparison.Ordinal))
        {
            return json;
        }
        var output = new StringBuilder(json.Length);
        for (var at = 0; at < json.Length; at++)
        {
            if (json[at] != '\\')
            {
                output.Append(json[at]);
            }
            else if (string.CompareOrdinal(json, at, Nul, 0, Nul.Length) == 0)
            {
                at += Nul.Length - 1;
            }
            else
            {
                output.Append(json, at++, 2);
            }
        }
        return output.ToString();
    }
}
