using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

public static class IdentityServices
{
    /// <summary>API keys: the ring that the request path asks, what keeps it like the database, and the acts on keys.</summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddSettings<KeyOptions>("Keys");
        services.AddSingleton<IValidateOptions<KeyOptions>, KeyOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new KeyRing(
            provider.GetRequiredService<TimeProvider>(),
            DevelopmentKey.For(
                provider.GetRequiredService<IHostEnvironment>(), provider.GetRequiredService<IOptions<KeyOptions>>().Value)));
        services.AddSettings<SessionOptions>("Sessions");
        services.AddSettings<PersonOptions>("People");
        services.AddModuleDb<IdentityDb>();
        services.AddSingleton<KeyStore>();
        services.AddSingleton<OwnOrigins>();
        services.AddSingleton<Guesses>();
        services.AddSingleton<Callers>();
        services.AddSingleton<SessionCache>();
        services.AddHostedService<SessionSync>();
        services.AddSingleton<PasswordHasher>();
        services.AddSingleton<PasswordRule>();
        services.AddSingleton<KeySignIn>();
        services.AddScoped<PersonStore>();
        services.AddScoped<SessionStore>();
        services.AddScoped<PasswordSignIn>();
        services.AddScoped(provider => new PasswordResets(
            provider.GetRequiredService<IdentityDb>(), provider.GetRequiredService<PasswordSignIn>(),
            provider.GetRequiredService<SessionCache>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddScoped(provider => new WireIdentity(
            provider.GetRequiredService<IdentityDb>(), provider.GetRequiredService<PasswordSignIn>(),
            provider.GetRequiredService<SessionStore>(),
            provider.GetRequiredService<SessionCache>(), provider.GetRequiredService<InvitationStore>()));
        services.AddScoped<AuditLog>();
        services.AddScoped<DevelopmentSignIn>();
        services.AddScoped<OrganizationStore>();
        services.AddScoped<MemberStore>();
        services.AddScoped<InvitationStore>();
        services.AddScoped<SetUp>();
        services.AddSingleton<FirstRun>();
        services.AddHostedService(provider => provider.GetRequiredService<FirstRun>());
        services.AddScoped(provider => new BrowserSignIn(provider.GetRequiredService<SessionStore>()));
        services.AddSingleton<KeyRingSync>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyRingSync>());
        services.AddReadiness(
            "keys", "not read yet", provider => provider.GetRequiredService<KeyRing>().WhenLoaded(CancellationToken.None));
        services.AddJson(IdentityJson.Default);
        return services;
    }

    /// <summary>The routes of people, organizations and keys below <c>/api/stoa</c>.</summary>
    public static IEndpointRouteBuilder MapIdentity(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapOwnApi();
        own.MapMe();
        own.MapSessions();
        own.MapOrganizations();
        own.MapMembers();
        own.MapPrincipals();
        own.MapKeys();
        own.MapAudit();
        own.MapPeople();
        return routes;
    }
}
