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

/// <summary>Wrappers of prompts (<c>wrapper_id</c> of agents and of requests), on GTWY's wire.</summary>
internal static class WrappersApi
{
    private const int MaxName = 200;
    private const int MaxTemplate = 200_000;
    private const int MaxWrappers = 1_000;

    public static void MapWrappers(this IEndpointRouteBuilder routes)
    {
        var wrappers = routes.MapGroup("/api/prompt_wrappers").WithTags("Prompts");
        wrappers.MapPost("", CreateAsync).RequireGtwyEditor().TakesObject().WithSummary("Create a wrapper of prompts");
        wrappers.MapGet("", ListAsync).WithSummary("List the wrappers of prompts");
        wrappers.MapGet("/{wrapper_id}", GetAsync).WithSummary("Read a wrapper of prompts");
        wrappers.MapPut("/{wrapper_id}", UpdateAsync).RequireGtwyEditor().TakesObject().WithSummary("Change a wrapper of prompts");
        wrappers.MapDelete("/{wrapper_id}", DeleteAsync).RequireGtwyEditor()
            .WithSummary("Delete a wrapper of prompts: agents go on without it");
    }

    internal static async Task<Ok<JsonObject>> CreateAsync(
        GtwyCaller caller, GtwyBody body, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        if (await Of(db, caller).CountAsync(ct) >= MaxWrappers)
        {
            throw Failure.Invalid($"An organization has at most {MaxWrappers} wrappers", code: "too_many_wrappers");
        }
        var now = time.GetUtcNow();
        var wrapper = new PromptWrapper
        {
            Id = HexId.Create(time),
            OrganizationId = caller.OrganizationId,
            Name = body.Members.NeedText("name", MaxName).Trim(),
            Template = Checked(body.Members.NeedText("template", MaxTemplate)),
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.PromptWrappers.Add(wrapper);
        return await db.TrySaveAsync(ct) == Saved.Kept ? Shown(caller, wrapper) : throw NameTaken();
    }

    internal static async Task<Ok<JsonObject>> ListAsync(GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        var wrappers = await Of(db, caller).AsNoTracking().OrderBy(wrapper => wrapper.CreatedAt)
            .ThenBy(wrapper => wrapper.Id).Take(MaxWrappers).ToListAsync(ct);
        return TypedResults.Ok(new JsonObject
        {
            ["success"] = true, ["data"] = new JsonArray([.. wrappers.Select(wrapper => (JsonNode)Show(caller, wrapper))]),
        });
    }

    internal static async Task<Ok<JsonObject>> GetAsync(string wrapper_id, GtwyCaller caller, GatewayDb db, CancellationToken ct) =>
        Shown(caller, await Of(db, caller).AsNoTracking().FirstOrDefaultAsync(wrapper => wrapper.Id == wrapper_id, ct) ?? throw Missing());

    internal static async Task<Ok<JsonObject>> UpdateAsync(
        string wrapper_id, GtwyCaller caller, GtwyBody body, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Locked, so that what somebody else changes in it at the same time is kept.
        var wrapper = await db.PromptWrappers
            .FromSql($"select * from gateway.prompt_wrappers where id = {wrapper_id} and organization_id = {caller.OrganizationId} for update")
            .FirstOrDefaultAsync(ct) ?? throw Missing();
        wrapper.Name = NewAgent.NameOf(body.Members, "name") ?? wrapper.Name;
        wrapper.Template = body.Members.Text("template", MaxTemplate) is { } template ? Checked(template) : wrapper.Template;
        wrapper.UpdatedAt = time.GetUtcNow();
        if (await db.TrySaveAsync(ct) != Saved.Kept)
        {
            throw NameTaken();
        }
        await transaction.CommitAsync(ct);
        return Shown(caller, wrapper);
    }

    internal static async Task<Ok<JsonObject>> DeleteAsync(string wrapper_id, GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        return await Of(db, caller).Where(wrapper => wrapper.Id == wrapper_id).ExecuteDeleteAsync(ct) > 0
            ? TypedResults.Ok(AgentsApi.Success("Prompt wrapper deleted successfully"))
            : throw Missing();
    }

    private static IQueryable<PromptWrapper> Of(GatewayDb db, GtwyCaller caller) =>
        db.PromptWrappers.Where(wrapper => wrapper.OrganizationId == caller.OrganizationId);

    private static string Checked(string template) => template.Contains(PromptWrapper.Placeholder, StringComparison.Ordinal)
        ? template : throw GtwyFields.Wrong("template", $"must hold {PromptWrapper.Placeholder}, where the prompt goes");

    private static Ok<JsonObject> Shown(GtwyCaller caller, PromptWrapper wrapper) =>
        TypedResults.Ok(new JsonObject { ["success"] = true, ["data"] = Show(caller, wrapper) });

    private static JsonObject Show(GtwyCaller caller, PromptWrapper wrapper) => new()
    {
        ["_id"] = wrapper.Id,
        ["org_id"] = caller.OrgId,
        ["name"] = wrapper.Name,
        ["template"] = wrapper.Template,
        ["created_at"] = GtwyFields.InstantText(wrapper.CreatedAt),
        ["updated_at"] = GtwyFields.InstantText(wrapper.UpdatedAt),
    };

    private static Failure Missing() => Failure.NotFound("Prompt wrapper");

    private static Failure NameTaken() => Failure.Invalid("name is taken by another wrapper", "name", "name_taken");
}
