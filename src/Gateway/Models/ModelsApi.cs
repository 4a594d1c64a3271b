using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Models;

/// <summary>The models a key may use, in OpenAI's form, or in Anthropic's when the client says that it speaks that.</summary>
internal static class ModelsApi
{
    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/models", ListAsync).WithTags("Models").WithSummary("List the models that this key may use");
        routes.MapGet("/models/{**id}", GetAsync).WithTags("Models").WithSummary("Read one model; its id may hold slashes");
        routes.MapDelete("/models/{**id}", Refuse).WithTags("Models").WithSummary("Refused: models come from the providers");
    }

    internal static async Task ListAsync(HttpContext context, CallGate gate, ProviderCatalog providers)
    {
        var key = gate.Authenticate(context.Request);
        var models = providers.Models.Where(model => CallGate.MayUse(key, model)).Select(model => Entry(model, providers)).ToList();
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

    internal static async Task GetAsync(HttpContext context, string id, CallGate gate, ProviderCatalog providers)
    {
        var key = gate.Authenticate(context.Request);
        var name = Uri.UnescapeDataString(id);
        if (providers.Find(name) is not { } model || !CallGate.MayUse(key, model))
        {
            throw CallGate.UnknownModel(name);
        }
        using var body = new PooledBytes(512);
        if (context.Request.Headers.ContainsKey("anthropic-version"))
        {
            AnthropicModels.WriteOne(Entry(model, providers), body);
        }
        else
        {
            OpenAiModels.WriteOne(Entry(model, providers), body);
        }
        await JsonAnswer.SendAsync(context, body);
    }

    internal static Task Refuse(HttpContext context, string id, CallGate gate)
    {
        gate.Authenticate(context.Request);
        throw Failure.Forbidden($"The model `{id}` belongs to its provider and cannot be deleted here");
    }

    private static ModelEntry Entry(ModelTarget model, ProviderCatalog providers) => new(model.ListedName, model.Provider.Name, providers.CreatedAt);
}
