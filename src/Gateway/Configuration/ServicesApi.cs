using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;

namespace Stoa.Gateway.Configuration;

/// <summary>What agents may run on, on GTWY's wire.</summary>
internal static class ServicesApi
{
    private static readonly string[] Types = ["chat", "fine-tune", "reasoning", "image", "embedding"];

    public static void MapServices(this IEndpointRouteBuilder routes)
    {
        var services = routes.MapGroup("/api/service").WithTags("Services");
        services.MapGet("", List).WithSummary("Services");
        services.MapGet("/{service}", ModelsAsync).WithSummary("Models of a service by type");
    }

    internal static Ok<JsonObject> List(GtwyCaller caller, ServiceRegistry services)
    {
        var answer = AgentsApi.Success("Get all service successfully");
        answer["services"] =
            new JsonObject(services.All.Select(service => KeyValuePair.Create<string, JsonNode?>(service.Name, new JsonObject
        {
            ["model"] = service.DefaultModel,
            ["default_fallback_model"] = service.DefaultModel,
            ["default_name"] = service.Name,
            ["autoRouterSupport"] = false,
        })));
        return TypedResults.Ok(answer);
    }

    /// <summary>Models that are switched on; an empty object for a service that there is not.</summary>
    internal static async Task<Ok<JsonObject>> ModelsAsync(
        string service, GtwyCaller caller, ServiceRegistry services, ModelStore models, CancellationToken ct)
    {
        if (services.Find(service) is not { } known)
        {
            return TypedResults.Ok(new JsonObject());
        }
        var answer = new JsonObject(Types.Select(type => KeyValuePair.Create<string, JsonNode?>(type, new JsonObject())));
        foreach (var model in (await models.ListAsync(caller.OrganizationId, known.Name, ct)).Where(model => model.IsEnabled))
        {
            var listed = model.ToListed();
            listed["org_id"] = model.OrganizationId is null ? null : caller.OrgId;
            if (answer[model.Type] is not JsonObject group)
            {
                answer[model.Type] = group = [];
            }
            group[model.ModelName] = listed;
        }
        return TypedResults.Ok(answer);
    }
}
