using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Stoa.Platform.Http;

public static class OwnApi
{
    /// <summary>
    /// The group of our own API, <c>/api/stoa</c>: its document, its errors, its origins. Each route still says who may call it.
    /// </summary>
    public static RouteGroupBuilder MapOwnApi(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/api/stoa").WithGroupName("stoa").WithErrors(ProblemErrors.Instance).AllowListedOrigins();
}
