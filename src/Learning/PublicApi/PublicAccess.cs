using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.PublicApi;

/// <summary>A school's program, by the school's key.</summary>
internal sealed record SchoolProgram(int OrgId)
{
    public static ValueTask<SchoolProgram?> BindAsync(HttpContext context) => context.SurfaceCaller<SchoolProgram>();

    /// <exception cref="Failure">403: it is another school's.</exception>
    public void Require(int? orgId)
    {
        if (orgId != OrgId)
        {
            throw PublicAccess.Invalid();
        }
    }
}

internal static class PublicAccess
{
    private static readonly AccessScheme Key = new("learning_api_key", AccessPlace.Header, "api-key");

    public static TBuilder RequireSchoolKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.RequireSurfaceCaller(new AccessRule("school_key", Key), CallerAsync);

    public static Failure Invalid() => Failure.Forbidden("Invalid API key");

    private static async ValueTask<SchoolProgram> CallerAsync(HttpContext context)
    {
        if (context.Request.Headers["api-key"] is not [{ } key])
        {
            var errors = new WireErrors();
            errors.Add("missing", ["header", "api-key"], "Field required");
            throw errors.ToFailure();
        }
        var keys = context.RequestServices.GetRequiredService<OrganizationKeys>();
        return await keys.OrganizationOfAsync(key, context.RequestAborted) is { } orgId ? new(orgId) : throw Invalid();
    }
}
