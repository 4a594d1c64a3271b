using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs;

/// <summary>What one run leaves behind: its row of the history, and what <see cref="RunLog"/> writes beside it.</summary>
internal sealed class LoggedRun
{
    private const string Insert = """
        insert into gateway.runs (id, created_at, updated_at, organization_id, agent_id, version_id, thread_id, sub_thread_id, message_id,
          parent_id, child_id, service, model, is_success, is_cached, finish_reason, user_message, answer, error, testcase_id,
            document, batch_id)
        select id, at, at, organization, agent, version, thread, sub_thread, message,
          parent, child, service, model, success, cached, finish, question, answer, error, testcase, document, batch
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
          as run (id, at, organization, agent, version, thread, sub_thread, message,
            parent, child, service, model, success, cached, finish, question, answer, error, testcase, document, batch)
        """;

    private readonly string? nextMessageId;
    private readonly byte[] document;

    public LoggedRun(Run run, RunResult result, string? nextMessageId, IReadOnlyList<NewJob> following)
    {
        (Run, Outcome, Following, this.nextMessageId) = (run, result, following, nextMessageId);
        document = DocumentOf();
    }

    public Run Run { get; }

    public RunResult Outcome { get; }

    public IReadOnlyList<NewJob> Following { get; }

    /// <summary>The conversation that it belongs to; null of a run without an agent.</summary>
    public ThreadKey? Thread =>
        Run.Plan.AgentId is { } agentId ? new(Run.Request.OrganizationId, agentId, Run.ThreadId, Run.SubThreadId) : null;

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
        Add(NpgsqlDbType.Boolean, one => one.Outcome.IsSuccess);
        Add(NpgsqlDbType.Boolean, one => one.Run.IsCached);
        AddText(one => one.EndOf());
        AddText(one => one.Run.Input.User);
        AddText(one => one.Outcome.IsSuccess || one.Run.Content.Length > 0 ? one.Run.Content : null);
        AddText(one => one.Outcome.IsSuccess ? null : one.Outcome.Response.Text("error") ?? one.Outcome.Failure?.Message);
        AddText(one => one.Run.Request.TestCaseId);
        Add(NpgsqlDbType.Jsonb, one => one.document);
        AddText(one => one.Run.Request.BatchId);
        return command;

        void AddText(Func<LoggedRun, string?> value) =>
            Add(NpgsqlDbType.Text, one => value(one) is { } text ? StoredText.Clean(text) : null);

        void Add<T>(NpgsqlDbType type, Func<LoggedRun, T> value) =>
            command.Parameters.Add(
                new NpgsqlParameter<T[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = [.. group.Select(value)] });
    }

    private string EndOf() => Outcome switch
    {
        { IsSuccess: true } => StandardAnswer.WordOf(Run.FinishReason),
        { Status: 499 } => "cancelled",
        { Failure: null } => "blocked",
        _ => "error",
    };

    /// <summary>
    /// The rest of the row, in the words of the wire. Keys of providers and the content of attachments are no part of it.
    /// </summary>
    private byte[] DocumentOf()
    {
        using var output = new PooledBytes(4_096);
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("prompt"u8, Run.SystemText);
        json.WriteString("reasoning"u8, Run.Reasoning);
        Write("tools_call_data", Run.Rounds.ToLog());
        json.WriteStartObject("tokens"u8);
        json.WriteNumber("input_tokens"u8, Run.Usage.Input);
        json.WriteNumber("output_tokens"u8, Run.Usage.Output);
        json.WritePropertyName("expected_cost"u8);
        if (Run.Cost is { } cost)
        {
            json.WriteNumberValue(cost);
        }
        else
        {
            json.WriteNullValue();
        }
        json.WriteNumber("cached_tokens"u8, Run.Usage.CacheRead);
        json.WriteBoolean("is_estimated"u8, Run.Usage.Estimated);
        json.WriteEndObject();
        Write("variables", Run.Variables?.All);
        json.WriteStartArray("missing_variables"u8);
        foreach (var name in Run.MissingVariables)
        {
            json.WriteStringValue(name);
        }
        json.WriteEndArray();
        json.WritePropertyName("latency"u8);
        Run.Clock.WriteTo(json, Run.Seconds);
        json.WritePropertyName("AiConfig"u8);
        json.WriteRawValue(Run.Asked.Span, skipInputValidation: true);
        json.WriteStartArray("user_urls"u8);
        WriteUrls(json);
        json.WriteEndArray();
        Write("llm_urls", Run.MadeUrls);
        Write("annotations", Run.Annotations);
        Write("plans", Run.Plans);
        Write("fallback_model",
            Run.IsFallback ? new JsonObject { ["service"] = Run.Choice.Service.Name, ["model"] = Run.Choice.Model } : null);
        json.WriteString("firstAttemptError"u8, Run.FirstAttemptError);
        Write("attempts", Run.Attempts);
        json.WriteString("user_id"u8, Run.Request.Caller.UserId);
        Write("guardrails", Run.GuardrailVerdict);
        Write("testcase_data", Run.Input.Body.Object("testcase_data"));
        json.WriteBoolean("is_playground"u8, Run.Request.IsPlayground);
        Write("batch_data", Run.Request.BatchId is not { } batchId ? null : new JsonObject
        {
            ["batch_id"] = batchId, ["custom_id"] = Run.Request.MessageId, ["status"] = Outcome.IsSuccess ? "completed" : "failed",
        });
        json.WriteEndObject();
        JsonOutput.Close(json);
        return StoredText.Json(output.Span);

        void Write(string name, JsonNode? node)
        {
            json.WritePropertyName(name);
            if (node is null)
            {
                json.WriteNullValue();
            }
            else
            {
                node.WriteTo(json);
            }
        }
    }

    private void WriteUrls(Utf8JsonWriter json)
    {
        WriteAll(Run.Input.Images, "image");
        WriteAll(Run.Input.Files, "pdf");
        foreach (var file in Run.ThreadFiles)
        {
            json.WriteStartObject();
            json.WriteString("url"u8, file);
            json.WriteString("type"u8, "pdf"u8);
            json.WriteBoolean(AttachmentReading.OfThread, true);
            json.WriteEndObject();
        }
        WriteAll(Run.Input.Audios, "audio");
        WriteAll(Run.Input.Videos, "video");
        Write(Run.Input.YouTube, "video");
        Write(Run.Input.VideoFile.Name("uri"), "video");

        void WriteAll(IReadOnlyList<string> addresses, string type)
        {
            foreach (var address in addresses)
            {
                Write(address, type);
            }
        }

        void Write(string? address, string type)
        {
            if (address is null)
            {
                return;
            }
            json.WriteStartObject();
            json.WriteString("url"u8, address.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? "(inline)" : address);
            json.WriteString("type"u8, type);
            json.WriteEndObject();
        }
    }
}
