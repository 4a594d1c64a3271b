using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Configuration;

/// <summary>Model configurations, on GTWY's wire: an organization adds models of its own, operators keep those that all share.</summary>
internal static class ModelConfigurationsApi
{
    private const int MaxName = 256;
    private const int MaxAtOnce = 500;

    public static void MapModelConfigurations(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/api/models").WithTags("Models");
        models.MapPost("", AddAsync).RequireGtwyEditor().TakesObject().WithSummary("Add a model configuration");
        models.MapDelete("", RemoveAsync).RequireGtwyEditor().WithSummary("Delete a private model");

        var utilities = routes.MapGroup("/api/utils").WithTags("Models");
        utilities.MapPatch("/models/status", SetStatusAsync).RequireGtwyOperator().TakesObject().WithSummary("Enable or disable a model");
        utilities.MapPost("/models/bulk-update", ChangeManyAsync).RequireGtwyOperator().TakesObject().WithSummary("Bulk update");
        utilities.MapGet("/models/status/{status}", ListByStatusAsync).WithSummary("Models by status");
        utilities.MapGet("/getBridgesAndVersions/{modelName}", UsesAsync).WithSummary("Agents using a model");
        utilities.MapDelete("/agent/{agent_id}", EraseAgentAsync).RequireGtwyAdmin().WithSummary("Delete permanently");
    }

    internal static async Task<Ok<JsonObject>> AddAsync(
        GtwyCaller caller, GtwyBody body, ModelStore models, ServiceRegistry services, EditorPushes pages, CancellationToken ct)
    {
        caller.RequireEditor();
        var service = services.Find(body.Members.NeedText("service", 64)) ?? throw GtwyFields.Wrong("service", "is none of the services");
        var name = body.Members.NeedText("model_name", MaxName);
        if (name.Any(letter => char.IsWhiteSpace(letter) || char.IsControl(letter)))
        {
            throw GtwyFields.Wrong("model_name", "must not have spaces");
        }
        if (!service.Serves(name))
        {
            throw GtwyFields.Wrong("model_name", "is none of the models that this installation takes from the service");
        }
        var document = DocumentOf(body.Members, name);
        var made = await models.AddAsync(
            caller.OrganizationId, service.Name, name,
            StatusOf(body.Members) ?? throw GtwyFields.Wrong("status", "is required"), document, ct)
            ?? throw Failure.Invalid("The model exists already", "model_name", "model_exists");
        await pages.ModelsChangedAsync("insert", service.Name, ct);
        var answer = AgentsApi.Success("Model configuration created successfully");
        answer["result"] = Show(caller, ModelDocument.Of(made));
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> RemoveAsync(
        GtwyCaller caller, ModelStore models, ModelUses uses, EditorPushes pages,
        CancellationToken ct, string? model_name = null, string? service = null)
    {
        caller.RequireEditor();
        var name = QueryValues.Text(model_name, "model_name");
        var model = await models.FindOwnAsync(caller.OrganizationId, QueryValues.Text(service, "service") ?? "", name ?? "", ct)
            ?? throw Failure.NotFound("Model");
        if ((await uses.OfAsync(caller.OrganizationId, model.ModelName, ct)).Exists(use => use.What == model.Service))
        {
            throw Failure.Invalid("The model is in use", "model_name", "model_in_use");
        }
        await models.RemoveAsync(caller.OrganizationId, model.Service, model.ModelName, ct);
        await pages.ModelsChangedAsync("delete", model.Service, ct);
        return TypedResults.Ok(AgentsApi.Success("Model configuration deleted successfully"));
    }

    internal static async Task<Ok<JsonObject>> SetStatusAsync(
        GtwyCaller caller, GtwyBody body, ModelStore models, EditorPushes pages, TimeProvider time, CancellationToken ct)
    {
        caller.RequireOperator();
        var isEnabled = StatusOf(body.Members) ?? throw GtwyFields.Wrong("status", "is required");
        var service = body.Members.NeedText("service", 64);
        if (!await models.ChangeSharedAsync(service, body.Members.NeedText("model_name", MaxName), row => Switch(row, isEnabled, time), ct))
        {
            throw Failure.NotFound("Model");
        }
        await pages.ModelsChangedAsync("update", service, ct);
        return TypedResults.Ok(AgentsApi.Success("Model status updated successfully"));
    }

    /// <summary>Merges <c>change</c> into the named models, or into those of a service (<c>filter.service</c>).</summary>
    internal static async Task<Ok<JsonObject>> ChangeManyAsync(
        GtwyCaller caller, GtwyBody body, ModelStore models, EditorPushes pages, TimeProvider time, CancellationToken ct)
    {
        caller.RequireOperator();
        var change = body.Members.Object("change") ?? throw GtwyFields.Wrong("change", "is required");
        var isEnabled = StatusOf(change);
        var names = await NamedAsync(caller, body.Members, models, ct);
        var changed = new JsonArray();
        foreach (var (service, model) in names)
        {
            if (await models.ChangeSharedAsync(service, model, row => Merge(row, change, isEnabled, time), ct))
            {
                changed.Add((JsonNode)new JsonObject { ["service"] = service, ["model_name"] = model });
            }
        }
        foreach (var service in changed.Select(one => one!["service"]!.GetValue<string>()).Distinct(StringComparer.Ordinal))
        {
            await pages.ModelsChangedAsync("update", service, ct);
        }
        var answer = AgentsApi.Success("Models updated successfully");
        answer["result"] = new JsonObject { ["changed"] = changed.Count, ["models"] = changed };
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> ListByStatusAsync(string status, GtwyCaller caller, ModelStore models, CancellationToken ct)
    {
        var isEnabled = status switch
        {
            "1" => true,
            "0" => false,
            _ => throw GtwyFields.Wrong("status", "must be 0 or 1"),
        };
        var list = await models.ListAsync(caller.OrganizationId, null, ct);
        return TypedResults.Ok(new JsonObject
        {
            ["success"] = true,
            ["data"] = new JsonArray([.. list.Where(model => model.IsEnabled == isEnabled).Select(model => Show(caller, model))]),
        });
    }

    internal static async Task<Ok<JsonObject>> UsesAsync(string modelName, GtwyCaller caller, ModelUses uses, CancellationToken ct)
    {
        var all = await uses.OfAsync(caller.OrganizationId, QueryValues.Text(modelName, "modelName") ?? "", ct);
        var answer = AgentsApi.Success("Get agents and versions successfully");
        answer["data"] = AgentUse.Show(all);
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> EraseAgentAsync(string agent_id, GtwyCaller caller, AgentStore agents, CancellationToken ct)
    {
        caller.RequireAdmin();
        await agents.EraseAsync(caller, agent_id, ct);
        return TypedResults.Ok(AgentsApi.Success("Agent deleted permanently"));
    }

    private static JsonObject DocumentOf(JsonObject body, string name)
    {
        var document = new JsonObject { ["display_name"] = body.Text("display_name", MaxName) };
        foreach (var part in (string[])["configuration", "outputConfig", "validationConfig"])
        {
            document[part] = (body.Object(part) ?? throw GtwyFields.Wrong(part, "is required")).DeepClone();
        }
        var model = document["configuration"]!.AsObject().Object("model") ?? throw GtwyFields.Wrong("configuration.model", "is required");
        return model.Text("default") is null || model.Text("default") == name
            ? document
            : throw GtwyFields.Wrong("configuration.model.default", "must be the name of the model");
    }

    private static bool? StatusOf(JsonObject body) => body.Amount("status") switch
    {
        null => null,
        0 => false,
        1 => true,
        _ => throw GtwyFields.Wrong("status", "must be 0 or 1"),
    };

    private static void Switch(ModelConfiguration row, bool isEnabled, TimeProvider time)
    {
        row.IsEnabled = isEnabled;
        var document = (JsonObject)row.Document.DeepClone();
        document["disabled_at"] = isEnabled ? null : GtwyFields.InstantText(time.GetUtcNow());
        row.Document = document;
    }

    private static void Merge(ModelConfiguration row, JsonObject change, bool? isEnabled, TimeProvider time)
    {
        var document = (JsonObject)row.Document.DeepClone();
        foreach (var part in (string[])["configuration", "outputConfig", "validationConfig"])
        {
            foreach (var (name, value) in change.Object(part) ?? [])
            {
                document.ObjectOrNew(part)[name] = value?.DeepClone();
            }
        }
        if (change.Text("display_name", MaxName) is { } title)
        {
            document["display_name"] = title;
        }
        row.Document = document;
        if (isEnabled is { } status)
        {
            Switch(row, status, time);
        }
    }

    private static async Task<List<(string Service, string Model)>> NamedAsync(
        GtwyCaller caller, JsonObject body, ModelStore models, CancellationToken ct)
    {
        if (body.Array("models") is { } named)
        {
            return named.Count > MaxAtOnce ? throw GtwyFields.Wrong("models", $"may have at most {MaxAtOnce} items")
                : [.. named.Select(one => one as JsonObject ?? throw GtwyFields.Wrong("models", "must hold objects"))
                    .Select(one => (one.NeedText("service", 64), one.NeedText("model_name", MaxName)))];
        }
        var service = (body.Object("filter") ?? throw GtwyFields.Wrong("models", "or filter is required")).NeedText("service", 64);
        return [.. (await models.ListAsync(caller.OrganizationId, service, ct))
            .Where(model => model.OrganizationId is null).Select(model => (model.Service, model.ModelName))];
    }

    private static JsonObject Show(GtwyCaller caller, ModelDocument model) => new()
    {
        ["service"] = model.Service,
        ["model_name"] = model.ModelName,
        ["display_name"] = model.DisplayName,
        ["status"] = model.IsEnabled ? 1 : 0,
        ["org_id"] = model.OrganizationId is null ? null : caller.OrgId,
        ["configuration"] = JsonObject.Create(model.Configuration),
        ["validationConfig"] = JsonObject.Create(model.ValidationConfig),
        ["outputConfig"] = JsonObject.Create(model.OutputConfig),
    };
}
