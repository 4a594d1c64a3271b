using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Files;

/// <summary>
/// A multipart form with one file, which goes to the storage while it is read; its other fields may come before it or after.
/// </summary>
internal sealed record UploadForm(string Name, string Purpose, long Bytes, TimeSpan? Lifetime)
{
    private const int MaxFieldBytes = 4 << 10;
    private const int MaxFields = 32;
    private const int MaxBoundary = 200;
    private const long Frame = 64 << 10;

    private static readonly string[] Purposes = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];

    /// <param name="write">Takes the content; returns its length.</param>
    /// <exception cref="Failure">It is no such form, or something is missing or too large.</exception>
    public static async Task<UploadForm> ReadAsync(HttpContext context, Func<Stream, Task<long>> write, CancellationToken ct)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = FileStore.MaxBytes + Frame;
        }
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != "multipart/form-data"
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= MaxBoundary } boundary)
        {
            throw FileFailures.NoForm();
        }
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        (string Name, long Bytes)? file = null;
        try
        {
            var reader = new MultipartReader(boundary, context.Request.Body);
            while (await reader.ReadNextSectionAsync(ct) is { } section)
            {
                if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var place))
                {
                    continue;
                }
                var field = HeaderUtilities.RemoveQuotes(place.Name).ToString();
                if (field == "file" && file is null)
                {
                    file = (NameOf(place), await write(section.Body));
                }
                else if (fields.Count < MaxFields)
                {
                    fields[field] = await ReadFieldAsync(section.Body, ct);
                }
            }
        }
        catch (Exception broken) when (broken is IOException or InvalidDataException)
        {
            throw Failure.Invalid("The form is broken off or not well-formed", code: "invalid_form");
        }
        return file is var (name, bytes)
            ? new(name, PurposeOf(fields), bytes, LifetimeOf(fields))
            : throw FileFailures.MissingField("file");
    }

    private static string NameOf(ContentDispositionHeaderValue place)
    {
        var name = Path.GetFileName(
            HeaderUtilities.RemoveQuotes(place.FileNameStar.HasValue ? place.FileNameStar : place.FileName).ToString());
        name = string.Concat(name.Where(letter => !char.IsControl(letter)));
        return name.Length switch { 0 => "file", > 255 => name[..255], _ => name };
    }

    private static string PurposeOf(Dictionary<string, string> fields)
    {
        if (!fields.TryGetValue("purpose", out var purpose) || purpose.Length == 0)
        {
            throw FileFailures.MissingField("purpose");
        }
        return Purposes.Contains(purpose, StringComparer.Ordinal)
            ? purpose
            : throw Failure.Invalid($"'purpose' must be one of: {string.Join(", ", Purposes)}.", "purpose", "invalid_value");
    }

    private static TimeSpan? LifetimeOf(Dictionary<string, string> fields)
    {
        if (!fields.TryGetValue("expires_after[seconds]", out var text))
        {
            return null;
        }
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 3_600 and <= 2_592_000
            ? TimeSpan.FromSeconds(seconds)
            : throw Failure.Invalid("'expires_after.seconds' must be between 3600 and 2592000.", "expires_after.seconds", "invalid_value");
    }

    private static async Task<string> ReadFieldAsync(Stream body, CancellationToken ct)
    {
        var bytes = new byte[MaxFieldBytes + 1];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
        return length <= MaxFieldBytes
            ? System.Text.Encoding.UTF8.GetString(bytes.AsSpan(0, length))
            : throw Failure.Invalid("A field of the form is too long", code: "invalid_form");
    }
}
