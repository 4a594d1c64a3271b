using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Bytes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>Reads a whole JSON body into one rented buffer: it is scanned, forwarded and, if need be, sent again from there.</summary>
internal static class RequestBody
{
    /// <exception cref="Failure">Not JSON by its own word, compressed, or empty. Too large is refused by the server.</exception>
    public static async ValueTask<PooledBytes> ReadAsync(HttpRequest request)
    {
        if (request.ContentType is { } type && !IsJson(type))
        {
            throw new Failure(FailureKind.UnsupportedMedia, "unsupported_media_type", "Send the request as application/json");
        }
        if (request.Headers.ContentEncoding.Count > 0)
        {
            throw new Failure(FailureKind.UnsupportedMedia, "unsupported_media_type", "Send the request without compression");
        }
        var bytes = new PooledBytes((int)Math.Clamp((request.ContentLength ?? 0) + 1, 1_024, 1 << 20));
        try
        {
            var reader = request.BodyReader;
            while (true)
            {
                var read = await reader.ReadAsync(request.HttpContext.RequestAborted);
                foreach (var segment in read.Buffer)
                {
                    bytes.Write(segment.Span);
                }
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || bytes.Length == request.ContentLength)
                {
                    return bytes.Length > 0 ? bytes : throw Failure.Invalid("The request body is empty", code: "invalid_json");
                }
            }
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    private static bool IsJson(string type)
    {
        var media = type.AsSpan();
        var end = media.IndexOf(';');
        media = (end < 0 ? media : media[..end]).Trim();
        return media.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (media.StartsWith("application/", StringComparison.OrdinalIgnoreCase)
                && media.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
    }
}
