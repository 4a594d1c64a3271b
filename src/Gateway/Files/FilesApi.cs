using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Uploads;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Files;

/// <summary>Files in the words of OpenAI's API. Each organization sees its own.</summary>
internal static class FilesApi
{
    private const int MostFiles = 10_000;

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/files").WithTags("Files");
        group.MapPost("", UploadAsync).WithSummary("Upload a file: a form with file, purpose and expires_after[seconds]")
            .TakesForm(
                new("file", "The file", IsFile: true, IsRequired: true),
                new("purpose", "assistants, batch, fine-tune, vision, user_data or evals", IsRequired: true),
                new("expires_after[anchor]", "created_at"), new("expires_after[seconds]", "3600 to 2592000"));
        group.MapGet("", ListAsync).WithSummary("List files");
        group.MapGet("/{id}", GetAsync).WithSummary("Read about a file");
        group.MapGet("/{id}/content", ContentAsync).WithSummary("Read a file");
        group.MapDelete("/{id}", DeleteAsync).WithSummary("Delete a file");
    }

    internal static async Task<IResult> UploadAsync(HttpContext context, CallGate gate, FileStore files, CancellationToken ct)
    {
        var key = gate.Authenticate(context.Request);
        var id = files.NewId();
        try
        {
            var form = await UploadForm.ReadAsync(
                context, content => files.WriteAsync(key.OrganizationId, id, content, FileStore.MaxBytes, ct), ct);
            return Json((await files.AddAsync(key.OrganizationId, id, form.Name, form.Purpose, form.Bytes, form.Lifetime, ct)).Show());
        }
        catch
        {
            await files.DropAsync(key.OrganizationId, id);
            throw;
        }
    }

    internal static async Task<IResult> ListAsync(
        HttpContext context, CallGate gate, FileStore files, CancellationToken ct,
        string? purpose = null, string? after = null, string order = "desc", int limit = MostFiles)
    {
        var key = gate.Authenticate(context.Request);
        if (limit is < 1 or > MostFiles)
        {
            throw Failure.Invalid($"'limit' must be between 1 and {MostFiles}.", "limit", "invalid_value");
        }
        if (order is not ("asc" or "desc"))
        {
            throw Failure.Invalid("'order' must be one of: asc, desc.", "order", "invalid_value");
        }
        var found = await files.ListAsync(
            key.OrganizationId, QueryValues.Text(purpose, "purpose"), QueryValues.Text(after, "after"), order == "desc", limit, ct);
        return Json(ObjectPage.Of(found.Take(limit).Select(file => file.Show()), found.Count > limit));
    }

    internal static async Task<IResult> GetAsync(HttpContext context, string id, CallGate gate, FileStore files, CancellationToken ct) =>
        Json((await FindAsync(context, id, gate, files, ct)).Show());

    internal static async Task<IResult> ContentAsync(HttpContext context, string id, CallGate gate, FileStore files, CancellationToken ct)
    {
        var file = await FindAsync(context, id, gate, files, ct);
        var content = await files.OpenAsync(file, ct) ?? throw FileFailures.Missing(id);
        // Whatever was uploaded, no browser shall show it as a page of ours.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        return TypedResults.Stream(content, "application/octet-stream", file.Name);
    }

    internal static async Task<IResult> DeleteAsync(HttpContext context, string id, CallGate gate, FileStore files, CancellationToken ct) =>
        await files.DeleteAsync(gate.Authenticate(context.Request).OrganizationId, IdOf(id), ct)
            ? Json(new() { ["id"] = id, ["object"] = "file", ["deleted"] = true })
            : throw FileFailures.Missing(id);

    private static async Task<StoredFile> FindAsync(HttpContext context, string id, CallGate gate, FileStore files, CancellationToken ct) =>
        await files.FindAsync(gate.Authenticate(context.Request).OrganizationId, IdOf(id), ct) ?? throw FileFailures.Missing(id);

    /// <summary>No stored text holds NUL, so nothing is found by it.</summary>
    private static string IdOf(string id) => id.Contains('\0', StringComparison.Ordinal) ? "" : id;

    private static JsonHttpResult<JsonObject> Json(JsonObject body) => TypedResults.Json(body, GatewayJson.Default.JsonObject);
}
