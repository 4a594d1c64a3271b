using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Prompts;

/// <summary>Templates of structured answers, on GTWY's wire. Each organization has its own.</summary>
internal static class RichUiTemplatesApi
{
    private const int MaxName = 200;
    private const int MaxDescription = 2_000;
    private const int MaxTemplates = 1_000;

    private static readonly string[] Objects = ["template_format", "json_schema", "ui", "variables"];

    public static void MapRichUiTemplates(this IEndpointRouteBuilder routes)
    {
        var templates = routes.MapGroup("/api/rich_ui_templates").WithTags("Prompts");
        templates.MapPost("", CreateAsync).RequireGtwyEditor().TakesObject().WithSummary("Create a template of structured answers");
        templates.MapGet("", ListAsync).WithSummary("List the templates of structured answers");
        templates.MapPut("/{template_id}", UpdateAsync).RequireGtwyEditor()
            .TakesObject().WithSummary("Change a template of structured answers");
        templates.MapDelete("/{template_id}", DeleteAsync).RequireGtwyEditor().WithSummary("Delete a template of structured answers");
    }

    internal static async Task<Ok<JsonObject>> CreateAsync(
        GtwyCaller caller, GtwyBody body, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        if (await Of(db, caller).CountAsync(ct) >= MaxTemplates)
        {
            throw Failure.Invalid($"An organization has at most {MaxTemplates} templates", code: "too_many_templates");
        }
        if (GtwyFields.Object(body.Members, "template_format") is null)
        {
            throw GtwyFields.Wrong("template_format", "is required");
        }
        var now = time.GetUtcNow();
        var template = new RichUiTemplate
        {
            Id = HexId.Create(time),
            OrganizationId = caller.OrganizationId,
            Name = body.Members.NeedText("name", MaxName).Trim(),
            Document = Over([], body.Members),
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.RichUiTemplates.Add(template);
        return await db.TrySaveAsync(ct) == Saved.Kept ? Shown(caller, template) : throw NameTaken();
    }

    internal static async Task<Ok<JsonObject>> ListAsync(GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        var templates = await Of(db, caller).AsNoTracking().OrderBy(template => template.CreatedAt)
            .ThenBy(template => template.Id).Take(MaxTemplates).ToListAsync(ct);
        return TypedResults.Ok(new JsonObject
        {
            ["success"] = true, ["data"] = new JsonArray([.. templates.Select(template => (JsonNode)Show(caller, template))]),
        });
    }

    internal static async Task<Ok<JsonObject>> UpdateAsync(
        string template_id, GtwyCaller caller, GtwyBody body, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Locked, so that what somebody else changes in it at the same time is kept.
        var template = await db.RichUiTemplates
            .FromSql($"select * from gateway.rich_ui_templates where id = {template_id} and organization_id = {caller.OrganizationId} for update")
            .FirstOrDefaultAsync(ct) ?? throw Missing();
        template.Name = body.Members.Text("name", MaxName)?.Trim() is { Length: > 0 } name ? name : template.Name;
        template.Document = Over(template.Document.DeepClone().AsObject(), body.Members);
        template.UpdatedAt = time.GetUtcNow();
        if (await db.TrySaveAsync(ct) != Saved.Kept)
        {
            throw NameTaken();
        }
        await transaction.CommitAsync(ct);
        return Shown(caller, template);
    }

    internal static async Task<Ok<JsonObject>> DeleteAsync(string template_id, GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        return await Of(db, caller).Where(template => template.Id == template_id).ExecuteDeleteAsync(ct) > 0
            ? TypedResults.Ok(AgentsApi.Success("Template deleted successfully"))
            : throw Missing();
    }

    private static IQueryable<RichUiTemplate> Of(GatewayDb db, GtwyCaller caller) =>
        db.RichUiTemplates.Where(template => template.OrganizationId == caller.OrganizationId);

    /// <summary>What was given, written over what is there.</summary>
    private static JsonObject Over(JsonObject document, JsonObject body)
    {
        foreach (var name in Objects)
        {
            if (GtwyFields.Object(body, name) is { } value)
            {
                document[name] = value.DeepClone();
            }
        }
        document["is_public"] = body.Flag("is_public") ?? (document["is_public"] is JsonValue kept && kept.GetValue<bool>());
        if (body.Text("description", MaxDescription) is { } description)
        {
            document["description"] = description;
        }
        return document.Bounded();
    }

    private static Ok<JsonObject> Shown(GtwyCaller caller, RichUiTemplate template) =>
        TypedResults.Ok(new JsonObject { ["success"] = true, ["data"] = Show(caller, template) });

    private static JsonObject Show(GtwyCaller caller, RichUiTemplate template)
    {
        var shown = template.Document.DeepClone().AsObject();
        shown["_id"] = template.Id;
        shown["org_id"] = caller.OrgId;
        shown["name"] = template.Name;
        shown["created_at"] = GtwyFields.InstantText(template.CreatedAt);
        shown["updated_at"] = GtwyFields.InstantText(template.UpdatedAt);
        return shown;
    }

    private static Failure Missing() => Failure.NotFound("Template");

    private static Failure NameTaken() => Failure.Invalid("name is taken by another template", "name", "name_taken");
}
