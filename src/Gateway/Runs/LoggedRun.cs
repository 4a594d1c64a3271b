using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs;

/// <summary>What one run leaves behind: its row of the history, and what <see cref="RunLog"/> writes beside it.</summary>
internal sealed class LoggedRun
{
    private const string Insert = """
        insert into gateway.runs (id, created_at, updated_at, organization_id, agent_id, version_id, thread_id, sub_thread_id, message_id,
          parent_id, child_id, service, model, is_success, is_cached, finish_reason, user_message, answer, error, testcase_id, document, batch_id)
        select id, at, at, organization, agent, version, thread, sub_thread, message,
          parent, child, service, model, success, cached, finish, question, answer, error, testcase, document, batch
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
          as run (id, at, organization, agent, version, thread, sub_thread, message,
            parent, child, service, model, success, cached, finish, question, answer, error, testcase, document, batch)
        """;

    private readonly string? nextMessageId;
    private readonly string document;

    public LoggedRun(Run run, RunResult result, string? nextMessageId, IReadOnlyList<NewJob> following)
    {
        (Run, Result, Following, this.nextMessageId) = (run, result, following, nextMessageId);
        document = StoredText.Json(DocumentOf());
    }

    public Run Run { get; }

    public RunResult Result { get; }

    public IReadOnlyList<NewJob> Following { get; }

    /// <summary>The conversation that it belongs to; null of a run without an agent.</summary>
    public ThreadKey? Thread => Run.Plan.AgentId is { } agentId ? new(Run.Request.OrganizationId, agentId, Run.ThreadId, Run.SubThreadId) : null;

    public static NpgsqlBatchCommand RowsOf(IReadOnlyList<LoggedRun> group)
    {
        var command = new NpgsqlBatchCommand(Insert);
        Add(NpgsqlDbType.Uuid, one => one.Run.Id);
        Add(NpgsqlDbType.TimestampTz, one => one.Run.LoggedAt);
        Add(NpgsqlDbType.Uuid, one => one.Run.Request.OrganizationId);
        Add(NpgsqlDbType.Text, one => one.Run.Plan.AgentId ?? "");
        AddText(one => one.Run.Plan.VersionId);
        AddText(one => one.Run.ThreadId);
        AddText(one => one.Run.SubThreadId);
        AddText(one => one.Run.Request.MessageId);
        AddText(one => one.Run.Request.ParentMessageId);
        AddText(one => one.nextMessageId);
        AddText(one => one.Run.Choice.Service.Name);
        AddText(one => one.Run.Choice.Model);
        Add(NpgsqlDbType.Boolean, one => one.Result.IsSuccess);
        Add(NpgsqlDbType.Boolean, one => one.Run.IsCached);
        AddText(one => one.EndOf());
        AddText(one => one.Run.Input.User);
        AddText(one => one.Result.IsSuccess || one.Run.Content.Length > 0 ? one.Run.Content : null);
        AddText(one => one.Result.Response.Text("error") ?? one.Result.Failure?.Message);
        AddText(one => one.Run.Request.TestCaseId);
        Add(NpgsqlDbType.Jsonb, one => one.document);
        AddText(one => one.Run.Request.BatchId);
        return command;

        void AddText(Func<LoggedRun, string?> value) => Add(NpgsqlDbType.Text, one => value(one) is { } text ? StoredText.Clean(text) : null);

        void Add<T>(NpgsqlDbType type, Func<LoggedRun, T> value) =>
            command.Parameters.Add(new NpgsqlParameter<T[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = [.. group.Select(value)] });
    }

    private string EndOf() => Result switch
    {
        { IsSuccess: true } => StandardAnswer.WordOf(Run.FinishReason),
        { Status: 499 } => "cancelled",
        { Failure: null } => "blocked",
        _ => "error",
    };

    /// <summary>The rest of the row, in the words of the wire. Keys of providers and the content of attachments are no part of it.</summary>
    private JsonObject DocumentOf() => new()
    {
        ["prompt"] = Run.SystemText,
        ["reasoning"] = Run.Reasoning,
        ["tools_call_data"] = Run.Rounds.ToLog(),
        ["tokens"] = new JsonObject
        {
            ["input_tokens"] = Run.Usage.Input,
            ["output_tokens"] = Run.Usage.Output,
            ["expected_cost"] = Run.Cost,
            ["cached_tokens"] = Run.Usage.CacheRead,
            ["is_estimated"] = Run.Usage.Estimated,
        },
        ["variables"] = Run.Variables?.All.DeepClone(),
        ["missing_variables"] = new JsonArray([.. Run.MissingVariables.Select(name => (JsonNode)name)]),
        ["latency"] = Run.Clock.ToLog(Run.Seconds),
        ["AiConfig"] = Run.Asked.DeepClone(),
        ["user_urls"] = UrlsOf(),
        ["llm_urls"] = Run.MadeUrls.DeepClone(),
        ["annotations"] = Run.Annotations.DeepClone(),
        ["plans"] = Run.Plans?.DeepClone(),
        ["fallback_model"] = Run.IsFallback ? new JsonObject { ["service"] = Run.Choice.Service.Name, ["model"] = Run.Choice.Model } : null,
        ["firstAttemptError"] = Run.FirstAttemptError,
        ["attempts"] = Run.Attempts.DeepClone(),
        ["user_id"] = Run.Request.Caller.UserId,
        ["guardrails"] = Run.GuardrailVerdict?.DeepClone(),
        ["testcase_data"] = Run.Input.Body.Object("testcase_data")?.DeepClone(),
        ["is_playground"] = Run.Request.IsPlayground,
        ["batch_data"] = Run.Request.BatchId is not { } batchId ? null : new JsonObject
        {
            ["batch_id"] = batchId, ["custom_id"] = Run.Request.MessageId, ["status"] = Result.IsSuccess ? "completed" : "failed",
        },
    };

    private JsonArray UrlsOf() =>
    [
        .. Run.Input.Images.Select(image => Url(image, "image")),
        .. Run.Input.Files.Select(file => Url(file, "pdf")),
        .. Run.ThreadFiles.Select(file => new JsonObject { ["url"] = file, ["type"] = "pdf", [AttachmentReading.OfThread] = true }),
        .. Run.Input.Audios.Select(audio => Url(audio, "audio")),
        .. Run.Input.Videos.Append(Run.Input.YouTube).Append(Run.Input.VideoFile.Name("uri")).OfType<string>().Select(video => Url(video, "video")),
    ];

    private static JsonObject Url(string address, string type) => new()
    {
        ["url"] = address.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? "(inline)" : address,
        ["type"] = type,
    };
}
