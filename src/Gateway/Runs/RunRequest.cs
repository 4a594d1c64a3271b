using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Runs;

/// <summary>Who runs an agent, as far as limits, logs and alerts care.</summary>
/// <param name="KeyId">The organization's key that was used; null for a person.</param>
/// <param name="KeyPrefix">By which that key is found again, as long as it lives: it may be bound to some models.</param>
internal sealed record RunCaller(
    string OrgId, string? UserId, Guid? KeyId = null, string? FolderId = null, bool IsEmbed = false, string? KeyPrefix = null)
{
    public static RunCaller Of(GtwyCaller caller) =>
        new(caller.OrgId, caller.UserId, caller.Key?.Id, caller.FolderId, caller.IsEmbed, caller.Key?.Prefix);

    public static RunCaller Of(ApiKey key) => new(key.OrganizationId.ToString(), UserId: null, key.Id, KeyPrefix: key.Prefix);
}

/// <summary>
/// One run of an agent, or of a model without one, wherever it comes from: a route, the queue, another agent, a test case.
/// </summary>
internal sealed record RunRequest
{
    public required Guid OrganizationId { get; init; }

    public required RunCaller Caller { get; init; }

    /// <summary>The chat request of GTWY's wire.</summary>
    public required JsonObject Body { get; init; }

    /// <summary>Null for a direct run, which names service and model itself.</summary>
    public string? AgentId { get; init; }

    public string? VersionId { get; init; }

    public bool IsPlayground { get; init; }

    /// <summary>A UUID; the same for a run that is tried again.</summary>
    public required string MessageId { get; init; }

    /// <summary>The <c>x-request-id</c> under which the calls to models are metered.</summary>
    public required string RequestId { get; init; }

    /// <summary>The run whose model called this one as a tool; its own agents are not called again without end.</summary>
    public int Depth { get; init; }

    /// <summary>The runs that all agents of this one's tree have called as tools; it is theirs together.</summary>
    [JsonIgnore]
    public NestedRuns Nested { get; init; } = new();

    public string? ParentMessageId { get; init; }

    public string? TestCaseId { get; init; }

    /// <summary>The batch that it is a line of; the message id is then the line's.</summary>
    public string? BatchId { get; init; }

    public CacheWish Cache { get; init; } = CacheWish.None;

    /// <summary>Where the answer is pushed, and what follows it; null where it goes elsewhere.</summary>
    public string? PushChannel { get; init; }

    /// <summary>The agent that the caller asked, where another one has taken over.</summary>
    public string? OriginAgentId { get; init; }
}

/// <summary>Counts runs within a run: agents that each call several others would otherwise grow without end.</summary>
internal sealed class NestedRuns
{
    private const int Most = 100;

    private int count;

    public bool TryAdd() => Interlocked.Increment(ref count) <= Most;
}

/// <summary>How a run ended.</summary>
internal sealed class RunResult
{
    /// <summary>Nobody answered: another agent is to.</summary>
    public static readonly RunResult None = new([], 200);

    /// <summary>The caller has left.</summary>
    public static readonly RunResult Cancelled = new([], 499);

    private readonly Func<JsonObject>? answer;

    /// <summary>A success. Its answer is made when somebody reads it, of a run that does not change any more.</summary>
    public RunResult(Func<JsonObject> answer) => (this.answer, Status, IsSuccess) = (answer, 200, true);

    /// <summary>What is answered in the place of one.</summary>
    public RunResult(JsonObject response, int status) => (Response, Status) = (response, status);

    /// <summary>As GTWY's wire answers it; the other surfaces have no use for it.</summary>
    public JsonObject Response
    {
        get => field ??= answer!();
        private init;
    }

    /// <summary>The status for HTTP.</summary>
    public int Status { get; }

    public bool IsSuccess { get; }

    /// <summary>What went wrong; null for a success and for what guardrails refused.</summary>
    public Failure? Failure { get; init; }

    /// <summary>The answer's text; empty where there is none.</summary>
    public string Content { get; init; } = "";

    /// <summary>Where the provider says that it has the content from, as its letters are counted.</summary>
    public JsonArray Annotations { get; init; } = [];

    /// <summary>Tokens of all calls to models together.</summary>
    public TokenUsage Usage { get; init; }

    public FinishReason FinishReason { get; init; } = FinishReason.Error;

    /// <summary>For <c>x-gtwy-cache</c>: <c>hit</c>, <c>miss</c> or <c>bypass</c>.</summary>
    public string CacheUse { get; init; } = "bypass";

    /// <summary>The tools that the model called, in order: <c>{name, args}</c>.</summary>
    public JsonArray ToolCalls { get; init; } = [];
}

/// <summary>Hears of a run while it is under way. Steps come one at a time and in order; a slow listener slows the run.</summary>
internal interface IRunSink
{
    /// <summary>Whether it wants the answer piece by piece.</summary>
    bool IsStream { get; }

    ValueTask TellAsync(RunStep step, CancellationToken ct);
}

internal sealed class NoSink : IRunSink
{
    public static readonly NoSink Instance = new();

    public bool IsStream => false;

    public ValueTask TellAsync(RunStep step, CancellationToken ct) => ValueTask.CompletedTask;
}

/// <summary>Passes on what happens, but not what is said: that has to be checked first.</summary>
internal sealed class HeldBackSink(IRunSink sink) : IRunSink
{
    public bool IsStream => false;

    public ValueTask TellAsync(RunStep step, CancellationToken ct) => sink.TellAsync(step, ct);
}

/// <summary>What happens in a run, in the terms of GTWY's stream.</summary>
internal abstract record RunStep
{
    private RunStep()
    {
    }

    internal sealed record Start(string Model, string Service, string? AgentId, string MessageId, bool IsFallback = false) : RunStep;

    internal sealed record Delta(string Text) : RunStep;

    internal sealed record Reasoning(string Text) : RunStep;

    /// <param name="Items"><c>{content, status}</c> of each step.</param>
    internal sealed record Planning(JsonArray Items) : RunStep;

    internal sealed record ToolCall(string Name, string Arguments, string CallId) : RunStep;

    internal sealed record ToolResult(string Name, string Content, string CallId) : RunStep;

    /// <summary>The last step, of a success as of a failure.</summary>
    internal sealed record Done(RunResult Result) : RunStep;
}
