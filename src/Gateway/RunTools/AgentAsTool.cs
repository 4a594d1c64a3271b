using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;

namespace Stoa.Gateway.RunTools;

/// <summary>Another agent, asked as a tool: a run of its own, in this process.</summary>
internal sealed class AgentAsTool(string name, ConnectedAgent agent, JsonObject schema, IServiceProvider services)
    : RunTool(name, agent.Description, schema)
{
    private const string Query = "_query";
    private const string Action = "action_type";
    private const string TransferWord = "transfer";

    /// <summary>Agents that call agents: deeper, somebody most likely goes round in circles.</summary>
    private const int MaxDepth = 10;

    public static JsonObject SchemaOf(JsonObject? variables, bool isOrchestrated)
    {
        var schema = ToolSchema.Of(variables.Object("fields"), variables.List("required") ?? variables.List("required_params"));
        var properties = schema.Object("properties")!;
        properties[Query] = new JsonObject { ["type"] = "string", ["description"] = "The question for the agent" };
        var required = schema.List("required") ?? [];
        required.Add(Query);
        if (isOrchestrated)
        {
            properties[Action] = new JsonObject
            {
                ["type"] = "string",
                ["enum"] = new JsonArray(TransferWord, "conversation"),
                ["description"] = "transfer: the agent takes over and answers the user; conversation: its answer comes back to you",
            };
            required.Add(Action);
        }
        schema["required"] = required;
        return schema;
    }

    public override async Task<ToolOutcome> CallAsync(JsonObject arguments, Run run, CancellationToken ct)
    {
        var query = arguments.Text(Query) ?? "";
        var isTransfer = run.Input.Body.Is("orchestrator_flag") && arguments.Text(Action) == TransferWord;
        arguments.Remove(Query);
        arguments.Remove(Action);
        var metadata = new JsonObject { ["type"] = "agent", ["agent_id"] = agent.AgentId };
        if (isTransfer)
        {
            return new($"Query is successfully transferred to agent {Name}", IsError: false, metadata)
            {
                Transfer = new(agent.AgentId, agent.VersionId, Name, query),
            };
        }
        if (run.Request.Depth >= MaxDepth)
        {
            return new("Agents call each other too deeply", IsError: true, metadata);
        }
        if (!run.Request.Nested.TryAdd())
        {
            return new("Agents have called each other too often", IsError: true, metadata);
        }
        return await AskAsync(query, arguments, run, metadata, ct);
    }

    private async Task<ToolOutcome> AskAsync(string query, JsonObject variables, Run run, JsonObject metadata, CancellationToken ct)
    {
        var body = new JsonObject { ["user"] = query, ["variables"] = variables.DeepClone() };
        if (agent.Environment is { } environment)
        {
            body["environment"] = environment;
        }
        if (run.Thread is not null && JsonObject.Create(agent.Link).Is("thread_id"))
        {
            body["thread_id"] = run.ThreadId;
            body["sub_thread_id"] = run.SubThreadId;
        }
        var request = run.Request with
        {
            Body = body,
            AgentId = agent.AgentId,
            VersionId = agent.VersionId,
            MessageId = Guid.CreateVersion7(run.StartedAt).ToString(),
            Depth = run.Request.Depth + 1,
            ParentMessageId = run.Request.MessageId,
            IsPlayground = false,
            TestCaseId = null,
            BatchId = null,
        };
        metadata["message_id"] = request.MessageId;
        metadata["version_id"] = agent.VersionId;
        try
        {
            // Asked for here: the runner has tools, and this tool is one of them.
            var result = await services.GetRequiredService<AgentRunner>().RunAsync(request, NoSink.Instance, ct);
            return result.IsSuccess
                ? new(AnswerOf(result), IsError: false, metadata)
                : new(result.Failure?.Message ?? "The agent has refused to answer", IsError: true, metadata);
        }
        catch (Failure failure)
        {
            return new(failure.Message, IsError: true, metadata);
        }
    }

    /// <summary>JSON as it is, anything else under <c>data</c>.</summary>
    private static JsonNode AnswerOf(RunResult result) =>
        JsonFields.TryParse(result.Content, out var json) && json is JsonObject or JsonArray
            ? json : new JsonObject { ["data"] = result.Content };
}
