using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Uploads;

/// <summary>Uploads on GTWY's wire, and what is uploaded or made by models, for whoever knows its address.</summary>
internal static class UploadsApi
{
    private const long Frame = 64 << 10;

    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        var uploads = routes.MapGroup("").WithTags("Uploads");
        uploads.MapPost("/image/processing/", UploadImageAsync).WithSummary("Upload a picture: a form with image");
        uploads.MapPost("/files/", UploadImageAsync).WithSummary("Upload a picture: a form with image");
        uploads.MapPost("/image/processing/upload", UploadAsync).WithSummary("Upload a file: a form with file or video");
        uploads.MapPost("/files/upload", UploadAsync).WithSummary("Upload a file: a form with file or video");
    }

    /// <summary>Open to anyone.</summary>
    public static void MapPublicFiles(this IEndpointRouteBuilder routes) => routes.MapGroup("/image").WithGroupName("gateway").WithTags("Uploads")
        .WithErrors(RuntimeErrors.Instance).AllowAnyOrigin().AllowAnyone()
        .MapGet("/{organization_id:guid}/{name}", ReadAsync).WithSummary("Read a picture or a file by its address");

    internal static async Task<IResult> ReadAsync(
        [Microsoft.AspNetCore.Mvc.FromRoute(Name = "organization_id")] Guid organizationId, string name, HttpContext context, PublicFiles files,
        CancellationToken ct)
    {
        var (content, type) = await files.OpenAsync(organizationId, name, ct) ?? throw Failure.NotFound("File");
        // Whatever was uploaded, no browser shall show it as a page of ours.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return PublicFiles.IsImage(name) ? TypedResults.Stream(content, type) : TypedResults.Stream(content, type, fileDownloadName: name);
    }

    internal static async Task<Results<Ok<JsonObject>, BadRequest<JsonObject>>> UploadImageAsync(
        HttpContext context, GtwyCaller caller, PublicFiles files, CancellationToken ct)
    {
        try
        {
            var path = await SaveAsync(context, caller, files, ["image"], mustBeImage: true, ct);
            return TypedResults.Ok(new JsonObject { ["success"] = true, ["image_url"] = files.AddressOf(path) });
        }
        catch (Failure failure) when (failure.Kind == FailureKind.Invalid)
        {
            return TypedResults.BadRequest(new JsonObject
            {
                ["detail"] = new JsonObject { ["success"] = false, ["error"] = $"Error in image processing: {failure.Message}" },
            });
        }
    }

    internal static async Task<Ok<JsonObject>> UploadAsync(HttpContext context, GtwyCaller caller, PublicFiles files, CancellationToken ct)
    {
        var path = await SaveAsync(context, caller, files, ["file", "video"], mustBeImage: false, ct);
        return TypedResults.Ok(new JsonObject { ["success"] = true, ["file_url"] = files.AddressOf(path) });
    }

    private static async Task<string> SaveAsync(
        HttpContext context, GtwyCaller caller, PublicFiles files, string[] fields, bool mustBeImage, CancellationToken ct)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = PublicFiles.MaxBytes + Frame;
        }
        var file = await FileOf(context.Request, fields, ct) ?? throw Failure.Invalid($"{fields[0]} is required: a file in a form", fields[0]);
        await using var content = file.OpenReadStream();
        var path = await files.SaveAsync(caller.OrganizationId, content, ct)
            ?? throw new Failure(FailureKind.TooLarge, "too_large", $"A file may have at most {PublicFiles.MaxBytes >> 20} MB");
        if (!mustBeImage || PublicFiles.IsImage(path))
        {
            return path;
        }
        await files.DropAsync(path);
        throw Failure.Invalid("the file is no PNG, JPEG, GIF or WebP picture", fields[0]);
    }

    private static async Task<IFormFile?> FileOf(HttpRequest request, string[] fields, CancellationToken ct)
    {
        if (!request.HasFormContentType)
        {
            return null;
        }
        try
        {
            var form = await request.ReadFormAsync(ct);
            return form.Files.FirstOrDefault(file => fields.Contains(file.Name, StringComparer.Ordinal));
        }
        catch (InvalidDataException)
        {
            throw Failure.Invalid("The form is broken off or not well-formed", fields[0]);
        }
    }
}
