using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Folders;

/// <summary>Folders of agents, on GTWY's wire. Folders of embedded users come with them, later.</summary>
internal static class FoldersApi
{
    private const int MaxName = 200;

    public static void MapFolders(this IEndpointRouteBuilder routes)
    {
        var folders = routes.MapGroup("/api/folder").WithTags("Folders");
        folders.MapPost("", CreateAsync).RequireGtwyEditor().TakesObject().WithSummary("Create");
        folders.MapGet("", ListAsync).WithSummary("List");
        folders.MapPut("", UpdateAsync).RequireGtwyEditor().TakesObject().WithSummary("Update");
        folders.MapDelete("/{folder_id}", DeleteAsync).RequireGtwyEditor().WithSummary("Delete");
    }

    internal static async Task<Ok<JsonObject>> CreateAsync(GtwyCaller caller, GtwyBody body, FolderStore folders, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        var name = body.Members.NeedText("name", MaxName).Trim();
        var kind = body.Members.Word("type", "agent", "embed", "rag_embed") ?? "agent";
        return Shown(caller, await folders.AddAsync(caller, name, kind, body.Members, ct));
    }

    internal static async Task<Ok<JsonObject>> ListAsync(
        GtwyCaller caller, FolderStore folders, CancellationToken ct) => TypedResults.Ok(new JsonObject
    {
        ["success"] = true,
        ["data"] = new JsonArray([.. (await folders.ListAsync(caller, ct)).Select(folder => Show(caller, folder))]),
    });

    internal static async Task<Ok<JsonObject>> UpdateAsync(GtwyCaller caller, GtwyBody body, FolderStore folders, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        var id = body.Members.NeedText("folder_id", 64);
        return Shown(caller, await folders.UpdateAsync(caller, id, NewAgent.NameOf(body.Members, "name"), body.Members, ct));
    }

    internal static async Task<Ok<JsonObject>> DeleteAsync(string folder_id, GtwyCaller caller, FolderStore folders, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        await folders.RemoveAsync(caller, folder_id, ct);
        return TypedResults.Ok(AgentsApi.Success("Folder deleted successfully"));
    }

    private static Ok<JsonObject> Shown(
        GtwyCaller caller, Folder folder) => TypedResults.Ok(new JsonObject { ["success"] = true, ["data"] = Show(caller, folder) });

    private static JsonObject Show(GtwyCaller caller, Folder folder)
    {
        var shown = (JsonObject)folder.Document.DeepClone();
        shown["_id"] = folder.Id;
        shown["folder_id"] = folder.Id;
        shown["org_id"] = caller.OrgId;
        shown["name"] = folder.Name;
        shown["type"] = folder.Kind;
        shown["created_at"] = GtwyFields.InstantText(folder.CreatedAt);
        shown["updated_at"] = GtwyFields.InstantText(folder.UpdatedAt);
        return shown;
    }
}
