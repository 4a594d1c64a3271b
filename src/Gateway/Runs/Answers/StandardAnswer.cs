using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.History;

namespace Stoa.Gateway.Runs.Answers;

/// <summary>A run's answer as GTWY's wire has it. What has no value is there all the same.</summary>
internal static class StandardAnswer
{
    private const string Empty = "AI is Hallucinating and sending '\\n' please check your prompt and configurations once";

    public static RunResult Of(Run run)
    {
        // Of a run that hands its conversation over, something else is kept than is answered.
        var content = run.Content;
        return ResultOf(run, () => Of(run, new JsonObject { ["content"] = string.IsNullOrWhiteSpace(content) ? Empty : content }));
    }

    /// <param name="made">What the model has made, as it stands in <c>data</c>.</param>
    public static RunResult OfData(Run run, JsonObject made) => ResultOf(run, () => Of(run, made));

    private static RunResult ResultOf(Run run, Func<JsonObject> answer) => new(answer)
    {
        Content = run.Content,
        Annotations = run.Annotations,
        CacheUse = run.CacheUse,
        Usage = run.Usage,
        FinishReason = run.FinishReason,
        ToolCalls = [
            .. run.Rounds.Calls.Select(call => (JsonNode)new JsonObject { ["name"] = call.Name, ["args"] = call.Arguments?.DeepClone() })],
    };

    private static JsonObject Of(Run run, JsonObject made)
    {
        var data = new JsonObject
        {
            ["id"] = run.AnswerId,
            ["model"] = run.AnswerModel is { Length: > 0 } model ? model : run.Choice.Model,
            ["role"] = "assistant",
            ["finish_reason"] = WordOf(run.FinishReason),
            ["tools_data"] = run.Rounds.ToAnswer(),
            ["images"] = ImagesOf(run),
            ["annotations"] = run.Annotations.DeepClone(),
            ["fallback"] = run.IsFallback,
            ["firstAttemptError"] = run.FirstAttemptError,
            ["message_id"] = run.Request.MessageId,
            ["is_cached"] = run.IsCached,
            ["service"] = run.Choice.Service.Name,
            ["model_requested"] = run.Plan.Choice.Model,
            ["thread_id"] = run.ThreadId,
            ["sub_thread_id"] = run.SubThreadId,
        };
        if (run.Plans is { } plans)
        {
            data["plans"] = plans.DeepClone();
        }
        if (run.Input.VideoFile is { } video)
        {
            data["file_data"] = video.DeepClone();
        }
        foreach (var (name, value) in made)
        {
            data[name] = value?.DeepClone();
        }
        if (run.Plan.AgentId is { } agent)
        {
            data["bridge_id"] = agent;
        }
        if (run.Reasoning.Length > 0)
        {
            data["reasoning"] = run.Reasoning;
        }
        if (run.SchemaErrors.Count > 0)
        {
            data["schema_errors"] = run.SchemaErrors.DeepClone();
        }
        return new() { ["success"] = true, ["response"] = new JsonObject { ["data"] = data, ["usage"] = UsageOf(run) } };
    }

    /// <summary>Those that were sent and those that were made; null where there are none.</summary>
    private static JsonArray? ImagesOf(Run run)
    {
        var made = run.MadeUrls.Count == 0 ? [] : run.MadeUrls.Objects().Select(one => one.Text("url")).OfType<string>();
        return run.MadeUrls.Count > 0 || run.Input.Images.Count > 0
            ? new([.. run.Input.Images.Concat(made).Select(image => (JsonNode)image)]) : null;
    }

    /// <summary>The answer of a run that is over, as its row in the history tells it.</summary>
    public static JsonObject Of(AgentRun row)
    {
        var tools = new JsonObject();
        foreach (var (_, call) in row.Document.List("tools_call_data").Objects().SelectMany(round => round))
        {
            tools[(call as JsonObject).Text("name") ?? ""] = (call as JsonObject).Object("data")?["response"]?.DeepClone();
        }
        var tokens = row.Document.Object("tokens");
        var (input, output) = (tokens?["input_tokens"].AsNumber() ?? 0, tokens?["output_tokens"].AsNumber() ?? 0);
        return new()
        {
            ["data"] = new JsonObject
            {
                ["id"] = "",
                ["content"] = row.Answer,
                ["model"] = row.Model,
                ["role"] = "assistant",
                ["finish_reason"] = row.FinishReason,
                ["tools_data"] = tools,
                ["images"] = null,
                ["annotations"] = row.Document.List("annotations")?.DeepClone() ?? new JsonArray(),
                ["fallback"] = row.Document["fallback_model"] is not null,
                ["firstAttemptError"] = row.Document.Text("firstAttemptError") ?? "",
                ["message_id"] = row.MessageId,
                ["is_cached"] = row.IsCached,
                ["service"] = row.Service,
                ["thread_id"] = row.ThreadId,
                ["sub_thread_id"] = row.SubThreadId,
                ["bridge_id"] = row.AgentId,
            },
            ["usage"] = new JsonObject
            {
                ["input_tokens"] = input,
                ["output_tokens"] = output,
                ["total_tokens"] = input + output,
                ["cached_tokens"] = tokens?["cached_tokens"].AsNumber() ?? 0,
                ["cost"] = tokens?["expected_cost"]?.DeepClone(),
            },
        };
    }

    public static JsonObject UsageOf(Run run)
    {
        var tokens = run.Usage;
        var usage = new JsonObject
        {
            ["input_tokens"] = tokens.Input,
            ["output_tokens"] = tokens.Output,
            ["total_tokens"] = tokens.Total,
            ["cached_tokens"] = tokens.CacheRead,
            ["cost"] = run.Cost,
        };
        if (run.Choice.Service.Name == "anthropic")
        {
            usage["cache_read_input_tokens"] = tokens.CacheRead;
            usage["cache_creation_input_tokens"] = tokens.CacheWrite;
        }
        if (tokens.Reasoning > 0)
        {
            usage["reasoning_tokens"] = tokens.Reasoning;
        }
        if (run.Cost is null)
        {
            usage["cost_unknown"] = true;
        }
        return usage;
    }

    public static string WordOf(FinishReason reason) => reason switch
    {
        FinishReason.Stop or FinishReason.StopSequence or FinishReason.Refusal => "completed",
        FinishReason.Length or FinishReason.ContextFull => "truncated",
        FinishReason.ToolCalls => "tool_call",
        FinishReason.ContentFilter or FinishReason.Pause or FinishReason.Error => "other",
    };
}
