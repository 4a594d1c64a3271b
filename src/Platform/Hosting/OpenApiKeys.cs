using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Stoa.Platform.Http;

namespace Stoa.Platform.Hosting;

/// <summary>What the API documents say of keys and refusals: the same for all routes that want a key.</summary>
internal static class OpenApiKeys
{
    private const string Bearer = "bearer";
    private const string Header = "x_api_key";

    public static void Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<ApiKeyNeed>().LastOrDefault() is not { } need)
        {
            operation.Security = [];
            return;
        }
        var document = context.Document!;
        document.AddComponent<IOpenApiSecurityScheme>(Bearer, new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" });
        operation.Security = [Requirement(Bearer, document)];
        if (need.AlsoInHeader)
        {
            document.AddComponent<IOpenApiSecurityScheme>(
                Header, new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = "x-api-key" });
            operation.Security.Add(Requirement(Header, document));
        }
        operation.Responses ??= [];
        operation.Responses["4XX"] = new OpenApiResponse { Description = "The request is refused, in the words of this API" };
        operation.Responses["5XX"] = new OpenApiResponse { Description = "The provider or the server failed, in the words of this API" };
    }

    private static OpenApiSecurityRequirement Requirement(string scheme, OpenApiDocument document) =>
        new() { [new OpenApiSecuritySchemeReference(scheme, document)] = [] };
}
