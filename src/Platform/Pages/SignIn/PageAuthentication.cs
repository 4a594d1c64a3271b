using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Data;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>Who looks at a page: found once per request, before anything of the page runs.</summary>
public static class PageAuthentication
{
    /// <summary>Who has signed in, or null.</summary>
    public static Caller? SignedIn(this HttpContext context) => context.Features.Get<Caller>();

    /// <summary>By the cookie, if there is one that holds.</summary>
    internal static async Task AuthenticateAsync(this HttpContext context)
    {
        try
        {
            context.Features.Set(await context.RequestServices.GetRequiredService<Callers>().FindAsync(context));
        }
        catch (Exception error) when (Outage.Is(error))
        {
            // Pages that show nothing of anybody's are there without a database too.
        }
    }
}
