using Microsoft.AspNetCore.Builder;

namespace Stoa.Platform;

public static class PlatformModule
{
    public static WebApplicationBuilder AddPlatform(this WebApplicationBuilder builder) => builder;

    public static WebApplication UsePlatform(this WebApplication app) => app;
}
