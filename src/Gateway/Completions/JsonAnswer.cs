using System.Buffers;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Bytes;

namespace Stoa.Gateway.Completions;

/// <summary>Sends a finished JSON body.</summary>
internal static class JsonAnswer
{
    public static async Task SendAsync(HttpContext context, PooledBytes body)
    {
        var response = context.Response;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        response.BodyWriter.Write(body.Span);
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
