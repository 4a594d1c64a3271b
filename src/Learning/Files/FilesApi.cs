using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Files;

/// <summary>
/// Uploads: into the bucket by addresses where there is one, else through us. The front end asks for an address first, and takes any
/// failure of that as the sign to come to us.
/// </summary>
internal static class FilesApi
{
    private const long FormFrame = 64 << 10;

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var largest = routes.ServiceProvider.GetRequiredService<IOptions<FileLimits>>().Value.Largest + FormFrame;
        var files = routes.MapGroup("/file").WithTags("file").RequireLearner();
        files.MapPut("/presigned-url/create", CreateAddressAsync).WithSummary("Ask where to put a file; 500 without a bucket");
        files.MapGet("/presigned-url/get", GetAddressAsync).WithSummary("Ask where to get a file from; 500 without a bucket");
        files.MapPost("/upload-local", UploadAsync).WithSummary("Upload a file").DisableAntiforgery()
            .WithMetadata(new RequestSizeLimitAttribute(largest)).WithFormOptions(multipartBodyLengthLimit: largest);
        files.MapGet("/download-local/", DownloadAsync)
            .Produces<Stream>(contentType: "application/octet-stream").WithSummary("Read a file");
        routes.MapGet("/uploads/{filename}", ShowAsync).WithTags("file")
            .WithSummary("Show a picture, a film or a sound of a course").AllowAnyone();
    }

    internal static async Task<Results<Ok<PutAddress>, JsonHttpResult<Detail>>> CreateAddressAsync(
        Body<PutFile> body, Access access, LearningFiles files, CancellationToken ct)
    {
        var userId = await UploaderAsync(access, ct);
        if (body.Value.ContentLength < 1)
        {
            throw WireErrors.Value("at least 1", "content_length");
        }
        return await files.AddByAddressAsync(userId, body.Value.ContentType ?? "audio/wav", body.Value.ContentLength, ct)
            is var (row, address)
            ? TypedResults.Ok(new PutAddress(address.Url, address.Key, row.Id))
            : NoBucket();
    }

    internal static async Task<Results<Ok<GetAddress>, JsonHttpResult<Detail>>> GetAddressAsync(
        [FromQuery] string uuid, [FromQuery(Name = "file_extension")] string extension,
        Access access, LearningFiles files, CancellationToken ct)
    {
        var caller = await access.CallerAsync(ct);
        if (!await files.HasAddressesAsync(ct))
        {
            return NoBucket();
        }
        var row = await files.FindAsync(caller, uuid, extension, ct) ?? throw Failure.NotFound("File");
        return TypedResults.Ok(new GetAddress((await files.ReadAddressAsync(row, ct))!.Url));
    }

    internal static async Task<Ok<Uploaded>> UploadAsync(
        IFormFile file, [FromForm(Name = "content_type")] string contentType, Access access, LearningFiles files, CancellationToken ct)
    {
        var userId = await UploaderAsync(access, ct);
        await using var content = file.OpenReadStream();
        var row = await files.AddAsync(userId, contentType, content, ct);
        var name = $"{row.Id}.{row.Extension}";
        return TypedResults.Ok(new Uploaded(name, $"uploads/{name}", row.Id, $"/uploads/{name}"));
    }

    internal static async Task<FileStreamHttpResult> DownloadAsync(
        [FromQuery] string uuid, [FromQuery(Name = "file_extension")] string extension,
        Access access, LearningFiles files, HttpResponse response,
        CancellationToken ct)
    {
        var caller = await access.CallerAsync(ct);
        var row = await files.FindAsync(caller, uuid, extension, ct) ?? throw Failure.NotFound("File");
        var content = await files.OpenAsync(row, ct) ?? throw Failure.NotFound("File");
        Harmless(response);
        return TypedResults.Stream(content, "application/octet-stream", $"{row.Id}.{row.Extension}");
    }

    internal static async Task<FileStreamHttpResult> ShowAsync(
        string filename, LearningFiles files, HttpResponse response, CancellationToken ct)
    {
        var (row, type) = await files.FindMediaAsync(filename, ct) ?? throw Failure.NotFound("File");
        var content = await files.OpenAsync(row, ct) ?? throw Failure.NotFound("File");
        Harmless(response);
        return TypedResults.Stream(content, type.ContentType, enableRangeProcessing: true);
    }

    private static async Task<int?> UploaderAsync(Access access, CancellationToken ct)
    {
        var standing = await access.CallerAsync(ct);
        return standing.IsOpen ? null : standing.RequireUser();
    }

    /// <summary>Whatever was uploaded, no browser shall take it for a page of ours, nor for anything but what we say it is.</summary>
    private static void Harmless(HttpResponse response)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        response.Headers.CacheControl = "private, max-age=3600";
    }

    // No failure of ours, so it is not thrown: nobody shall look into the log for it.
    private static JsonHttpResult<Detail> NoBucket() => TypedResults.Json(
        new Detail("S3 bucket name is not set"), FilesJson.Default.Detail, statusCode: StatusCodes.Status500InternalServerError);

    internal sealed record PutFile
    {
        /// <summary>Absent: what the front end records.</summary>
        public string? ContentType { get; init; }

        /// <summary>Of the body that will be put, in bytes.</summary>
        public int? ContentLength { get; init; }
    }

    internal sealed record PutAddress(string PresignedUrl, string FileKey, Guid FileUuid);

    internal sealed record GetAddress(string Url);

    internal sealed record Uploaded(string FileKey, string FilePath, Guid FileUuid, string StaticUrl);

    internal sealed record Detail([property: JsonPropertyName("detail")] string Text);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FilesApi.PutFile))]
[JsonSerializable(typeof(FilesApi.PutAddress))]
[JsonSerializable(typeof(FilesApi.GetAddress))]
[JsonSerializable(typeof(FilesApi.Uploaded))]
[JsonSerializable(typeof(FilesApi.Detail))]
internal sealed partial class FilesJson : JsonSerializerContext;
