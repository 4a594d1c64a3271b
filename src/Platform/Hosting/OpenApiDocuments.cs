using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Stoa.Platform.Http;

namespace Stoa.Platform.Hosting;

/// <summary>An OpenAPI document per surface, and a page to read them. A route belongs to the surface of its group name.</summary>
internal sealed class OpenApiDocuments(IServiceProvider services)
{
    private static readonly (string Surface, string Title)[] Surfaces =
    [
        ("gateway", "Stoa Gateway"), ("feedback", "Stoa Feedback"), ("learning", "Stoa Learning"), ("assistants", "Stoa Assistants"),
        ("stoa", "Stoa: own API and operations"),
    ];

    private readonly ConcurrentDictionary<string, Lazy<Task<byte[]>>> written = new(StringComparer.Ordinal);

    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<OpenApiDocuments>();
        foreach (var (surface, title) in Surfaces)
        {
            services.AddOpenApi(surface, options =>
            {
                options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
                options.ShouldInclude = description => description.GroupName == surface;
                options.AddDocumentTransformer((document, _, _) =>
                {
                    document.Info.Title = title;
                    document.Info.Version = typeof(OpenApiDocuments).Assembly.GetName().Version!.ToString(3);
                    document.Servers = null;
                    return Task.CompletedTask;
                });
                options.AddOperationTransformer((operation, context, _) =>
                {
                    OpenApiAccess.Describe(operation, context);
                    return Task.CompletedTask;
                });
            });
        }
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/openapi/{surface}.json", ReadAsync)
            .WithGroupName("stoa").WithTags("Operations").WithSummary("The OpenAPI document of a surface").AllowAnyOrigin().AllowAnyone();
        routes.MapSwaggerUI("docs", viewer =>
        {
            viewer.DocumentTitle = "Stoa API";
            foreach (var (surface, title) in Surfaces)
            {
                viewer.SwaggerEndpoint($"/openapi/{surface}.json", title);
            }
        });
    }

    private static async Task<IResult> ReadAsync(string surface, OpenApiDocuments documents) =>
        Surfaces.Any(known => known.Surface == surface)
            ? TypedResults.Bytes(await documents.BytesAsync(surface), "application/json")
            : throw Failure.NotFound("Document");

    private Task<byte[]> BytesAsync(string surface) =>
        written.GetOrAdd(surface, static (name, self) => new(() => self.WriteAsync(name)), this).Value;

    private async Task<byte[]> WriteAsync(string surface)
    {
        await using var scope = services.CreateAsyncScope();
        var document = await scope.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(surface).GetOpenApiDocumentAsync();
        using var text = new MemoryStream();
        await document.SerializeAsJsonAsync(text, OpenApiSpecVersion.OpenApi3_1, CancellationToken.None);
        return text.ToArray();
    }
}
