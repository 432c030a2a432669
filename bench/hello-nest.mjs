// The reference for cold starts: the smallest NestJS application on Express.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class HelloController {
  ready() {
    return 'ok';
  }
}
Get('ready')(HelloController.prototype, 'ready', Object.getOwnPropertyDescriptor(HelloController.prototype, 'ready'));
Controller()(HelloController);

class HelloModule {}
Module({ controllers: [HelloController] })(HelloModule);

const app = await NestFactory.create(HelloModule, { logger: false });
await app.listen(Number(process.env.PORT), '127.0.0.1');
