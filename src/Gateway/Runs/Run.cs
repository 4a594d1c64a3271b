using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Gateway.Runs.Prompts;
using Stoa.Gateway.RunTools;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>One run under way: what its steps read and write. It belongs to one request and is never shared.</summary>
internal sealed class Run(RunRequest request, RunInput input, RunPlan plan, Guid id, long started, DateTimeOffset startedAt)
{
    public RunRequest Request => request;

    public RunInput Input => input;

    public RunPlan Plan => plan;

    /// <summary>Of its row in the history.</summary>
    public Guid Id => id;

    /// <summary>A timestamp of the process' clock.</summary>
    public long Started => started;

    public DateTimeOffset StartedAt => startedAt;

    /// <summary>The names of the conversation; made up where the caller gave none.</summary>
    public string ThreadId { get; } = input.ThreadId ?? id.ToString();

    public string SubThreadId => field ??= input.SubThreadId ?? ThreadId;

    /// <summary>Null for a run without a conversation: nobody could ask for it again.</summary>
    public ThreadKey? Thread => input.ThreadId is null && input.SubThreadId is null ? null
        : new(request.OrganizationId, plan.AgentId ?? "", ThreadId, SubThreadId);

    public ThreadTurn? Turn { get; set; }

    public ThreadPast Past { get; set; } = ThreadPast.None;

    /// <summary>
    /// The PDFs that were uploaded for the conversation, where the model reads files, without those that the request names itself.
    /// </summary>
    public IReadOnlyCollection<string> ThreadFiles => Past.Files.Count == 0 || !Choice.ReadsFiles ? []
        : [.. ThreadFile.Shown(Past.Files, startedAt).Except(input.Files, StringComparer.Ordinal)];

    /// <summary>What the user says; a pre-tool may word it anew.</summary>
    public string User { get; set; } = input.User;

    public Variables Variables { get; set; } = null!;

    public HashSet<string> MissingVariables { get; } = new(StringComparer.Ordinal);

    public string SystemText { get; set; } = "";

    /// <summary>The same without the time, unless the prompt itself names it.</summary>
    public string TimelessSystemText { get; set; } = "";

    /// <summary>What was asked of the model, as JSON for the log; without secrets.</summary>
    public ReadOnlyMemory<byte> Asked { get; set; } = "{}"u8.ToArray();

    public ToolRounds Rounds { get; } = new();

    /// <summary>The model that answers; another one than planned after a fallback.</summary>
    public ModelChoice Choice { get; set; } = plan.Choice;

    public bool IsFallback { get; set; }

    public string FirstAttemptError { get; set; } = "";

    /// <summary>The text so far; whole when the run has ended well.</summary>
    public string Content { get; set; } = "";

    public string Reasoning { get; set; } = "";

    /// <summary>The names of built-in tools: the request's, else the agent's.</summary>
    public IEnumerable<string> BuiltInTools => input.Body.List("built_in_tools")?.Texts() ?? plan.Agent?.BuiltInTools ?? [];

    /// <summary>What a model has made besides words: <c>{type, url}</c>, for the log.</summary>
    public JsonArray MadeUrls { get; set; } = [];

    /// <summary>Where the provider says that it has its answer from.</summary>
    public JsonArray Annotations { get; set; } = [];

    /// <summary>The steps that the model means to take, as it said last.</summary>
    public JsonArray? Plans { get; set; }

    public string AnswerId { get; set; } = "";

    public string AnswerModel { get; set; } = "";

    public FinishReason FinishReason { get; set; } = FinishReason.Stop;

    public TokenUsage Usage { get; private set; }

    /// <summary>US dollars; null as soon as one call has no price.</summary>
    public decimal? Cost { get; private set; } = 0;

    public JsonArray SchemaErrors { get; } = [];

    public bool IsCached { get; set; }

    /// <summary><c>hit</c>, <c>miss</c> or <c>bypass</c>.</summary>
    public string CacheUse { get; set; } = "bypass";

    public RunClock Clock { get; } = new();

    /// <summary>From its arrival to its end.</summary>
    public double Seconds { get; set; }

    /// <summary>What the guardrails said; null where nobody asked them.</summary>
    public JsonObject? GuardrailVerdict { get; set; }

    /// <summary>What went wrong unforeseen in a tool, for the log of the host.</summary>
    public List<Exception> Faults { get; } = [];

    /// <summary>What the model said when it called tools, and what they said: kept when another model goes on.</summary>
    public List<Turn> ToolTurns { get; } = [];

    /// <summary>Something of an answer was passed on: another model cannot begin anew.</summary>
    public bool HasTold { get; set; }

    /// <summary>The agent that is to answer instead.</summary>
    public AgentTransfer? Transfer { get; set; }

    /// <summary>The agent to which this conversation was handed over before.</summary>
    public string? StickyAgentId => input.Body.Is("orchestrator_flag") && Past.StickyAgentId != plan.AgentId ? Past.StickyAgentId : null;

    /// <summary>The conversation is about to grow larger than the model can read.</summary>
    public bool WantsSummary { get; set; }

    /// <summary>The time of its row in the history.</summary>
    public DateTimeOffset LoggedAt { get; set; }

    /// <summary>What the last call with each of the organization's keys has shown of it, by the key's id.</summary>
    public Dictionary<string, string> KeyStatuses { get; } = new(StringComparer.Ordinal);

    /// <summary>Models that failed, for the log.</summary>
    public JsonArray Attempts { get; } = [];

    public void Add(TokenUsage usage, decimal? cost)
    {
        Usage = new(
            Usage.Input + usage.Input, Usage.Output + usage.Output, Usage.CacheRead + usage.CacheRead, Usage.CacheWrite + usage.CacheWrite,
            Usage.CacheWriteHour + usage.CacheWriteHour, Usage.Reasoning + usage.Reasoning, Estimated: Usage.Estimated || usage.Estimated);
        Cost += cost;
    }

    /// <summary>The model could not answer; another one takes its place.</summary>
    public void FailedWith(Failure failure, string words)
    {
        Attempts.Add((JsonNode)new JsonObject
        {
            ["service"] = Choice.Service.Name, ["model"] = Choice.Model,
            ["kind"] = RunFailures.KindOf(failure), ["status"] = RunFailures.StatusOf(failure),
        });
        FirstAttemptError = FirstAttemptError.Length > 0 ? FirstAttemptError : words;
        IsFallback = true;
    }

    public void Note(Exception fault)
    {
        lock (Faults)
        {
            Faults.Add(fault);
        }
    }
}

/// <summary>How long the steps of a run took, in the words of the log's <c>latency</c>.</summary>
internal sealed class RunClock
{
    private readonly List<(string Step, double Seconds)> execution = [];
    private readonly List<(string Step, double Seconds)> functions = [];
    private double model;

    public double? TimeToFirstToken { get; set; }

    public double? QueueTime { get; set; }

    public double? GuardrailTime { get; set; }

    public double? PreToolTime { get; set; }

    public void AddCall(string service, double seconds)
    {
        model += seconds;
        execution.Add(($"{service} Processing time for call :- {execution.Count + 1}", seconds));
    }

    public void AddTools(IEnumerable<string> names, double seconds) =>
        functions.Add((string.Join(", ", names), seconds));

    public void WriteTo(Utf8JsonWriter json, double overall)
    {
        json.WriteStartObject();
        json.WriteNumber("over_all_time"u8, Rounded(overall));
        json.WriteNumber("model_execution_time"u8, Rounded(model));
        Write("execution_time_logs", execution);
        Write("function_time_logs", functions);
        json.WriteIfAny("time_to_first_token", Rounded(TimeToFirstToken));
        json.WriteIfAny("queue_time", Rounded(QueueTime));
        json.WriteIfAny("guardrail_time", Rounded(GuardrailTime));
        json.WriteIfAny("pre_tool_time", Rounded(PreToolTime));
        json.WriteEndObject();

        void Write(string name, List<(string Step, double Seconds)> steps)
        {
            json.WriteStartArray(name);
            foreach (var (step, seconds) in steps)
            {
                json.WriteStartObject();
                json.WriteString("step"u8, step);
                json.WriteNumber("time_taken"u8, Rounded(seconds));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
    }

    private static double Rounded(double seconds) => Math.Round(seconds, 4);

    private static double? Rounded(double? seconds) => seconds is { } known ? Rounded(known) : null;
}
