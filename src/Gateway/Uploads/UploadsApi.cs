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

    /// <summary>What no model reads and no page shows.</summary>
    private static readonly HashSet<string> Rejected = new(
        [".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".zip", ".rar", ".tar", ".gz",
            ".7z", ".exe", ".dmg", ".apk", ".msi", ".deb", ".rpm", ".bin", ".iso", ".dll"],
        StringComparer.Ordinal);

    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        var uploads = routes.MapGroup("").WithTags("Uploads");
        foreach (var path in (string[])["/image/processing/", "/files/"])
        {
            uploads.MapPost(path, UploadImageAsync).WithSummary("Upload a picture: a form with image")
                .TakesForm(new FormField("image", "A PNG, JPEG, GIF or WebP picture of at most 50 MB", IsFile: true, IsRequired: true));
        }
        foreach (var path in (string[])["/image/processing/upload", "/files/upload"])
        {
            uploads.MapPost(path, UploadAsync)
                .WithSummary("Upload a file or, for Gemini, a video: a form with file or video, or video_url as JSON")
                .TakesForm(
                    new("file", "A file of at most 50 MB", IsFile: true),
                    new("video", "The same", IsFile: true), new("apikey", "Gemini's key, for a video"),
                    new("agent_id", "With thread_id: the agent whose questions in that thread are asked with a PDF for a week"),
                    new("thread_id", "The thread that a PDF is for"), new("sub_thread_id", "The same; else thread_id"))
                .TakesTexts(new("video_url", "Where a video of at most 50 MB is", IsRequired: true),
                    new("api_key", "Gemini's key", IsRequired: true));
        }
    }

    /// <summary>Open to anyone.</summary>
    public static void MapPublicFiles(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/image").WithGroupName("gateway").WithTags("Uploads")
        .WithErrors(RuntimeErrors.Instance).AllowAnyOrigin().AllowAnyone()
        .MapGet("/{organization_id:guid}/{name}", ReadAsync).WithSummary("Read a picture or a file by its address");

    internal static async Task<IResult> ReadAsync(
        [Microsoft.AspNetCore.Mvc.FromRoute(Name = "organization_id")] Guid organizationId,
        string name, HttpContext context, PublicFiles files,
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
            var path = await SaveImageAsync(context, caller, files, ct);
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

    internal static async Task<Results<Ok<JsonObject>, JsonHttpResult<JsonObject>>> UploadAsync(
        HttpContext context, GtwyCaller caller, PublicFiles files, VideoUploads videos, ThreadUploads threads, CancellationToken ct)
    {
        try
        {
            if (!context.Request.HasFormContentType)
            {
                return TypedResults.Ok(await videos.FetchAsync((await GtwyBody.BindAsync(context))!.Members, ct));
            }
            Widen(context);
            var file = await FileOf(context.Request, ["file", "video"], ct)
                ?? throw Failure.Invalid("file is required: a file in a form", "file");
            var thread = await threads.FindAsync(caller, context.Request.Form, ct);
            if (VideoUploads.TypeOf(file) is { } type)
            {
                return TypedResults.Ok(
                    await videos.SendAsync(file, type, (string?)context.Request.Form["apikey"] ?? context.Request.Form["api_key"], ct));
            }
            if (Rejected.Contains(Path.GetExtension(file.FileName).ToLowerInvariant()))
            {
                throw Failure.Invalid($"Files of the kind {Path.GetExtension(file.FileName).ToLowerInvariant()} are not taken",
                    file.Name, "unsupported_file");
            }
            var path = await SaveAsync(caller, files, file, ct);
            if (thread is not null && PublicFiles.IsPdf(path))
            {
                await threads.RememberAsync(thread, path, file.Length, ct);
            }
            return TypedResults.Ok(new JsonObject { ["success"] = true, ["file_url"] = files.AddressOf(path) });
        }
        catch (Failure failure) when (failure.Code is "video_timeout" or "video_failed")
        {
            return TypedResults.Json(
                new JsonObject { ["detail"] = new JsonObject { ["success"] = false, ["error"] = failure.Message } },
                GatewayJson.Default.JsonObject,
                statusCode: failure.Kind == FailureKind.Timeout
                ? StatusCodes.Status408RequestTimeout : StatusCodes.Status500InternalServerError);
        }
    }

    private static async Task<string> SaveImageAsync(HttpContext context, GtwyCaller caller, PublicFiles files, CancellationToken ct)
    {
        Widen(context);
        var file = await FileOf(context.Request, ["image"], ct) ?? throw Failure.Invalid("image is required: a file in a form", "image");
        var path = await SaveAsync(caller, files, file, ct);
        if (PublicFiles.IsImage(path))
        {
            return path;
        }
        await files.DropAsync(path);
        throw Failure.Invalid("the file is no PNG, JPEG, GIF or WebP picture", "image");
    }

    private static void Widen(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = PublicFiles.MaxBytes + Frame;
        }
    }

    private static async Task<string> SaveAsync(GtwyCaller caller, PublicFiles files, IFormFile file, CancellationToken ct)
    {
        await using var content = file.OpenReadStream();
        return await files.SaveAsync(caller.OrganizationId, content, ct) ?? throw VideoUploads.TooLarge();
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
        catch (Exception broken) when (broken is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw Failure.Invalid("The form is broken off or not well-formed", fields[0]);
        }
    }
}
