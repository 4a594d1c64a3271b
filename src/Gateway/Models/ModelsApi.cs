using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Models;

/// <summary>The models and agents a key may use, in OpenAI's form, or in Anthropic's when the client says that it speaks that.</summary>
internal static class ModelsApi
{
    private const string AgentPrefix = "agent:";

    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/models", ListAsync).WithTags("Models").WithSummary("List the models that this key may use");
        routes.MapGet("/models/{**id}", GetAsync).WithTags("Models").WithSummary("Read one model; its id may hold slashes");
        routes.MapDelete("/models/{**id}", Refuse).WithTags("Models").WithSummary("Refused: models come from the providers");
    }

    internal static async Task ListAsync(HttpContext context, CallGate gate, ProviderCatalog providers, AgentConfigurations agents)
    {
        var key = gate.Authenticate(context.Request);
        var listed = await agents.ListAsync(key.OrganizationId, context.RequestAborted);
        List<ModelEntry> models =
        [
            .. providers.Models.Where(model => CallGate.MayUse(key, model)).Select(model => Entry(model, providers)),
            .. listed.Where(agent => CallGate.MayUse(key, agent.Service, agent.Model)).Select(Entry),
        ];
        using var body = new PooledBytes(4_096);
        if (context.Request.Headers.ContainsKey("anthropic-version"))
        {
            AnthropicModels.WriteList(models, body);
        }
        else
        {
            OpenAiModels.WriteList(models, body);
        }
        await JsonAnswer.SendAsync(context, body);
    }

    internal static async Task GetAsync(
        HttpContext context, string id, CallGate gate, ProviderCatalog providers, AgentConfigurations agents)
    {
        var key = gate.Authenticate(context.Request);
        var name = Uri.UnescapeDataString(id);
        var entry = name.StartsWith(AgentPrefix, StringComparison.Ordinal)
            ? await AgentAsync(key, name[AgentPrefix.Length..], agents, context.RequestAborted)
            : providers.Find(name) is { } model && CallGate.MayUse(key, model) ? Entry(model, providers) : null;
        if (entry is null)
        {
            throw CallGate.UnknownModel(name);
        }
        using var body = new PooledBytes(512);
        if (context.Request.Headers.ContainsKey("anthropic-version"))
        {
            AnthropicModels.WriteOne(entry, body);
        }
        else
        {
            OpenAiModels.WriteOne(entry, body);
        }
        await JsonAnswer.SendAsync(context, body);
    }

    internal static Task Refuse(HttpContext context, string id, CallGate gate)
    {
        gate.Authenticate(context.Request);
        throw Failure.Forbidden($"The model `{id}` belongs to its provider and cannot be deleted here");
    }

    private static async Task<ModelEntry?> AgentAsync(ApiKey key, string name, AgentConfigurations agents, CancellationToken ct) =>
        (await agents.ListAsync(key.OrganizationId, ct)).FirstOrDefault(agent => agent.Slug == name || agent.Id == name) is { } found
        && CallGate.MayUse(key, found.Service, found.Model)
            ? Entry(found)
            : null;

    private static ModelEntry Entry(ListedAgent agent) => new($"{AgentPrefix}{agent.Slug}", "stoa", agent.CreatedAt.ToUnixTimeSeconds());

    private static ModelEntry Entry(ModelTarget model, ProviderCatalog providers) =>
        new(model.ListedName, model.Provider.Name, providers.CreatedAt);
}
