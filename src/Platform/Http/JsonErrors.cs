using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

/// <summary>A dialect whose errors are one small JSON object.</summary>
public abstract class JsonErrors : ErrorDialect
{
    public sealed override async Task WriteAsync(HttpContext context, Failure failure)
    {
        context.Response.StatusCode = StatusOf(failure);
        context.Response.ContentType = "application/json";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            Write(json, failure);
            json.WriteEndObject();
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>The members of the object.</summary>
    protected abstract void Write(Utf8JsonWriter json, Failure failure);
}
