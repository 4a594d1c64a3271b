using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Runs;

/// <summary>
/// What runs: an agent's configuration with the request's over it. A direct run has no agent, only what the request says. Each run has a
/// plan of its own; what it is made of is shared.
/// </summary>
internal sealed class RunPlan(RunInput input, AgentConfiguration? agent, ModelChoice choice)
{
    private const int DefaultContext = 128_000;
    private const int MaxIterations = 50;

    private readonly AgentNodes? stored = agent?.Nodes;
    private (ModelChoice Model, JsonObject Sent)? parameters;

    public RunInput Input => input;

    public AgentConfiguration? Agent => agent;

    public string? AgentId => agent?.AgentId;

    public string? VersionId => agent?.VersionId;

    public ModelChoice Choice => choice;

    /// <summary><c>chat</c>, <c>embedding</c>, <c>image</c>, …</summary>
    public string Type => input.Configuration.Name("type") ?? agent?.Type ?? choice.Document.Type;

    public bool IsChatbot => agent?.Kind == AgentKind.Chatbot;

    public JsonNode? Prompt => Configured("prompt");

    /// <summary>In tokens; what the model reads and writes together.</summary>
    public int ContextWindow =>
        (int?)choice.Document.ContextWindow is { } window and > 0 ? window : DefaultContext;

    /// <summary>Rounds of tools after which the model has to answer.</summary>
    public int Iterations => (int)Math.Clamp(
        (Setting("maximum_iterations") ?? Configured("tool_call_count") ?? Stored("tool_call_count")).AsNumber() ?? 3, 0, MaxIterations);

    /// <summary>The request's word, else the stored one.</summary>
    public JsonNode? Configured(string name) => input.Configuration?[name] ?? input.Body[name] ?? stored?.Parameters?[name];

    public JsonNode? Setting(string name) => input.Body.Object("settings")?[name] ?? stored?.Settings?[name];

    /// <summary>A setting that the flat generation had at the top of the document.</summary>
    public JsonObject? SettingObject(string name) => input.Body.Object(name) ?? Setting(name) as JsonObject ?? Stored(name) as JsonObject;

    /// <summary>What the agent's document says besides its configuration.</summary>
    public JsonNode? Stored(string name) => stored?.Document?[name];

    /// <summary>The parameters for the model, by their neutral names; worked out once, and changed by nobody who reads them.</summary>
    /// <exception cref="Platform.Http.Failure">Invalid, naming the field.</exception>
    public JsonObject Parameters(ModelChoice model)
    {
        if (parameters is { } known && ReferenceEquals(known.Model, model))
        {
            return known.Sent;
        }
        var sent = ModelParameters.Resolve(model.Document, agent?.Parameters ?? default, input.Configuration);
        parameters = (model, sent);
        return sent;
    }

    public JsonObject? VariablesPath => input.Body.Object("variables_path") ?? stored?.VariablesPath;

    public JsonObject? VariablesState => stored?.VariablesState;

    public bool Remembers => input.ThreadId is not null && !IsStateless && stored?.Document.Is("gpt_memory") == true;

    public bool IsStateless =>
        Setting("stateless_conversation") is JsonValue value && value.TryGetValue<bool>(out var stateless) && stateless;
}

/// <summary>A model and the key that it is asked with.</summary>
/// <param name="ApiKey">Null where the operator's key is used, or none is needed. Never stored, logged or sent on.</param>
/// <param name="KeyId">The organization's stored key, for its limits and status.</param>
internal sealed record ModelChoice(ProviderService Service, ModelDocument Document, ModelTarget Target, string? ApiKey, string? KeyId)
{
    public string Model => Target.Model;

    /// <summary>
    /// The service <c>openai</c> is asked by the Responses API, <c>openai_completion</c> by chat completions. Null for the provider's own.
    /// </summary>
    public Dialect? Endpoint => Service.Name == "openai" && Target.Provider.HasResponses ? Dialect.OpenAiResponses : null;

    /// <summary>Whether the model can be asked with a document.</summary>
    public bool ReadsFiles => Document.ValidationConfig.Member("files").ValueKind == JsonValueKind.True
        && ((Endpoint ?? Target.Provider.Kind.Dialect) != Dialect.OpenAi || Target.Provider.Kind.Traits.Documents != DocumentForm.None);

    /// <summary>Without the key: what prints a record prints this.</summary>
    public override string ToString() => Target.FullName;
}
