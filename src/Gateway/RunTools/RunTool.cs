using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.RunTools;

/// <summary>Something that the model of a run may call.</summary>
/// <param name="name">As the model knows it; unique in the run.</param>
/// <param name="schema">JSON Schema of its arguments, an object's.</param>
internal abstract class RunTool(string name, string? description, JsonObject schema)
{
    public string Name => name;

    /// <summary>As the log names it: a script, an agent.</summary>
    public string? Id { get; init; }

    /// <summary>What the model is not shown, since the caller's variables say it: from the argument's path to the variable's.</summary>
    public IReadOnlyList<InjectedArgument> Injected { get; init; } = [];

    public Tool Definition => new(name, description, JsonSerializer.SerializeToElement(schema, GatewayJson.Default.JsonObject));

    /// <summary>What goes wrong is an outcome too: the model is told, and the run goes on.</summary>
    /// <exception cref="OperationCanceledException">The run has ended.</exception>
    public abstract Task<ToolOutcome> CallAsync(JsonObject arguments, Run run, CancellationToken ct);
}

/// <summary>What a call came to.</summary>
/// <param name="Response">The result; for a failure its text.</param>
/// <param name="Metadata">For the log: <c>type</c> and what belongs to it.</param>
internal sealed record ToolOutcome(JsonNode? Response, bool IsError, JsonObject Metadata)
{
    /// <summary>A model reads no more than this of a result.</summary>
    private const int MaxCharacters = 64 << 10;

    /// <summary>Stops the loop: the run goes on with this agent.</summary>
    public AgentTransfer? Transfer { get; init; }

    /// <summary>The steps that the model means to take, where that is what it said.</summary>
    public JsonArray? Plan { get; init; }

    /// <summary>What the model reads.</summary>
    public string Words
    {
        get
        {
            var words = IsError ? new JsonObject { ["error"] = Response?.DeepClone() }.Compact() : Response.Compact();
            if (words.Length <= MaxCharacters)
            {
                return words;
            }
            var end = char.IsHighSurrogate(words[MaxCharacters - 1]) ? MaxCharacters - 1 : MaxCharacters;
            return words[..end] + "… [truncated]";
        }
    }

    public static ToolOutcome Failed(string error, string type = "function") => new(error, IsError: true, new() { ["type"] = type });
}

/// <summary>Hands the conversation over to another agent.</summary>
internal sealed record AgentTransfer(string AgentId, string? VersionId, string Name, string Query);
