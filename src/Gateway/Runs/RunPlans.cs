using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.ProviderKeys;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Runs;

/// <summary>Finds what a run needs: the agent's configuration, the model, the key. From memory, unless something has changed.</summary>
internal sealed class RunPlans(AgentConfigurations agents, ServiceRegistry services, ServiceTargets targets, KeySeal seal, KeyRing keys)
{
    private const int MaxKey = 4_096;
    private const int MaxRouted = 20;

    /// <exception cref="Failure">Invalid, in the words that GTWY's clients look for. Forbidden: the caller's key is bound to other
    /// models.</exception>
    public async ValueTask<RunPlan> FindAsync(RunRequest request, RunInput input, CancellationToken ct)
    {
        var versionId = request.VersionId ?? input.Body.Name("version_id");
        var agent = request.AgentId is null && versionId is null
            ? null
            : await agents.FindAsync(request.OrganizationId, request.AgentId, versionId, input.Body.Name("environment"), ct);
        var service = input.Body.Name("service") ?? agent?.Service.Name;
        var model = input.Configuration.Name("model") ?? agent?.Model;
        if (service is null || model is null)
        {
            throw agent is null && service is null && model is null
                ? ConfigurationFailures.AgentMissing()
                : ConfigurationFailures.ModelMissing();
        }
        var choice = await ChooseAsync(request, agent, service, model, KeyOf(input), ct);
        return new(input, agent, await RouteAsync(request, agent, input, ct) ?? choice);
    }

    /// <summary>
    /// The model that <c>auto_model_select{enabled, models[], objective}</c> picks: the cheapest, for <c>quality</c> the dearest, for
    /// <c>latency</c> the first. What cannot be asked is passed over; null where nothing is left, or the request itself names a model.
    /// </summary>
    private async ValueTask<ModelChoice?> RouteAsync(RunRequest request, AgentConfiguration? agent, RunInput input, CancellationToken ct)
    {
        var rules = input.Body.Object("auto_model_select")
            ?? (agent?.Document.Member("auto_model_select") is { ValueKind: JsonValueKind.Object } stored
                ? JsonObject.Create(stored) : null);
        if (!rules.Is("enabled") || agent is null || input.Configuration.Name("model") is not null)
        {
            return null;
        }
        var choices = new List<ModelChoice>();
        foreach (var one in (rules.List("models") ?? []).Take(MaxRouted))
        {
            try
            {
                choices.Add(await ChooseAsync(
                    request, agent, (one as JsonObject).Name("service") ?? agent.Service.Name,
                    one.AsText() ?? (one as JsonObject).Name("model") ?? "",
                    KeyOf(input), ct));
            }
            catch (Failure failure) when (failure.Kind is FailureKind.Invalid or FailureKind.Forbidden)
            {
                // No such model, no key for it, or not for the caller's key.
            }
        }
        var priced = choices.Where(choice => choice.Document.Price is not null);
        return rules.Text("objective") switch
        {
            "quality" => priced.MaxBy(choice => choice.Document.Price!.Output),
            "latency" => null,
            _ => priced.MinBy(choice => choice.Document.Price!.Output),
        } ?? choices.FirstOrDefault();
    }

    /// <summary>The text around the prompt: that of the request, else the agent's.</summary>
    /// <exception cref="Failure">Invalid: the request names one that is not there.</exception>
    public async ValueTask<string?> WrapperAsync(Run run, CancellationToken ct) =>
        (run.Input.Body.Name("wrapper_id") ?? run.Input.Configuration.Name("wrapper_id")) is not { } id ? run.Plan.Agent?.Wrapper
        : await agents.FindWrapperAsync(run.Request.OrganizationId, id, ct)
            ?? throw Failure.Invalid("wrapper_id names no prompt wrapper", "wrapper_id", "wrapper_missing");

    /// <summary>A model that may take the place of the agent's own, with a key that is stored for it.</summary>
    /// <exception cref="Failure">Invalid: no such model, or no key for it. Forbidden as above.</exception>
    public ValueTask<ModelChoice> FindFallbackAsync(RunRequest request, RunPlan plan, string service, string model, CancellationToken ct) =>
        ChooseAsync(
            request, plan.Agent, service, model,
            // A key that the caller brought is for the service that he named.
            service == plan.Choice.Service.Name && plan.Choice.KeyId is null ? plan.Choice.ApiKey : null, ct);

    private async ValueTask<ModelChoice> ChooseAsync(
        RunRequest request, AgentConfiguration? agent, string serviceName, string model, string? apiKey, CancellationToken ct)
    {
        var service = services.Find(serviceName) ?? throw ConfigurationFailures.ModelMissing();
        var document = agent is not null && agent.Service.Name == serviceName && agent.Model == model
            ? agent.ModelDocument
            : await agents.FindModelAsync(request.OrganizationId, serviceName, model, ct);
        var target = targets.Find(service, document.ModelName) ?? throw ConfigurationFailures.ModelMissing();
        if (request.Caller.KeyId is { } id && keys.FindLive(id, request.Caller.KeyPrefix) is { } own && !CallGate.MayUse(own, target))
        {
            throw Failure.Forbidden($"This key may not use the model {target.FullName}");
        }
        if (apiKey is not null)
        {
            return new(service, document, target, apiKey, KeyId: null);
        }
        if (agent?.Keys.GetValueOrDefault(service.Name) is { } stored)
        {
            return new(service, document, target, seal.Open(stored.Sealed) ?? throw ConfigurationFailures.KeyMissing(), stored.Id);
        }
        return !service.NeedsKey || service.HasOperatorKey || targets.NeedsNoKey(service)
            ? new(service, document, target, ApiKey: null, KeyId: null)
            : throw ConfigurationFailures.KeyMissing();
    }

    /// <summary>The key that the request brought along.</summary>
    private static string? KeyOf(RunInput input) => input.Body.Name("apikey") is not { } key ? null
        : key.Length <= MaxKey && key.All(letter => letter is > ' ' and < '\u007f') ? key
        : throw Failure.Invalid("apikey is no key", "apikey", "invalid_value");
}
