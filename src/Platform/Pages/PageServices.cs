using System.Reflection;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>A link in the head of every page, in the order of the modules.</summary>
public sealed record NavigationEntry(string Text, string Path);

/// <summary>Where a module keeps its components with <c>@page</c>.</summary>
internal sealed record PageAssembly(Assembly Assembly);

/// <summary>Marks a route that a person looks at: the visitor is known there, and forged forms are refused.</summary>
internal sealed class PageRoute
{
    public static readonly PageRoute Instance = new();
}

/// <summary>The pages: components with <c>@page</c> in the shell, rendered on the server, without a script.</summary>
public static class PageServices
{
    /// <summary>The module's components with <c>@page</c>, and its links.</summary>
    public static IServiceCollection AddPages(
        this IServiceCollection services, Assembly assembly, params IEnumerable<NavigationEntry> links)
    {
        services.AddSingleton(new PageAssembly(assembly));
        foreach (var link in links)
        {
            services.AddSingleton(link);
        }
        return services;
    }

    /// <summary>All pages of all modules, the way in and out, and what they are dressed with.</summary>
    public static IEndpointRouteBuilder MapPages(this IEndpointRouteBuilder routes)
    {
        // Its clock begins to run.
        _ = routes.ServiceProvider.GetRequiredService<RunningHost>();
        var modules = routes.ServiceProvider.GetServices<PageAssembly>().Select(module => module.Assembly);
        var components = routes.MapRazorComponents<Routes>().AddAdditionalAssemblies([.. modules]).AsPage();
        // Forms have routes of their own; a component that is posted to would look for one in itself and fail.
        components.Finally(endpoint => endpoint.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head])));
        routes.MapSignIn();
        routes.MapProviders();
        routes.MapPasswordReset();
        routes.MapSetup();
        routes.MapInvitations();
        routes.MapAccountPages();
        routes.MapMemberPages();
        routes.MapKeyPages();
        routes.MapAuditPage();
        routes.MapPeoplePages();
        routes.MapAssets();
        return routes;
    }

    internal static void AddPageShell(this IServiceCollection services, StoaOptions options)
    {
        services.AddRazorComponents();
        services.AddSingleton<RunningHost>();
        // What we seal outlives a restart and is good at every host with the same folder of keys.
        services.AddDataProtection()
            .SetApplicationName("Stoa")
            .PersistKeysToFileSystem(new(Path.GetFullPath(options.KeysDirectory ?? Path.Combine(options.DataDirectory, "cookie-keys"))));
        services.AddErrorDialect("/console", PageErrors.Instance);
    }

    /// <summary>Runs on pages only: the other surfaces have their own ways to know a caller and pay nothing for this one.</summary>
    internal static void UsePageSessions(this WebApplication app) =>
        app.UseWhen(static context => context.GetEndpoint()?.Metadata.GetMetadata<PageRoute>() is not null, static pages =>
            pages.Use(static async (context, next) =>
            {
                // Signed in or not: a form that another site sends could sign somebody in as somebody else.
                context.RequestServices.GetRequiredService<OwnOrigins>().Check(context.Request);
                await context.AuthenticateAsync();
                await next(context);
            }));

    internal static TBuilder AsPage<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder
    {
        // Forms are known by their origin, so the framework's own tokens are not asked for. It asks for them late.
        routes.Finally(endpoint => endpoint.Metadata.Add(new RequireAntiforgeryTokenAttribute(required: false)));
        return routes.WithPageHeaders().WithErrors(PageErrors.Instance).WithMetadata(PageRoute.Instance);
    }
}
